import { Command } from 'commander'
import { table } from '../../report/format.ts'
import { type LabOptions, labSubcommand, open } from './shared.ts'

/** Commands for snapshots. */
export function snapshotCommands(): readonly Command[] {
  return [take(), list(), remove()]
}

function take(): Command {
  return labSubcommand('snapshot', 'copy the lab for `lab up --from`; running hosts are restarted')
    .argument('<snapshot>', 'its name')
    .action(async (snapshot: string, { name }: LabOptions) => {
      const lab = await open(name)
      await lab.snapshot(snapshot, (line) => console.log(line))
      console.log(`The snapshot "${snapshot}" is created: provision lab up --name other --from ${snapshot}`)
    })
}

function list(): Command {
  return new Command('snapshots').description('list the snapshots').action(async () => {
    const { listSnapshots } = await import('../index.ts')
    const rows = (await listSnapshots()).map(({ name, lab, made, debian, hosts, bytes }) => [
      ...[name, new Date(made).toISOString().slice(0, 16).replace('T', ' '), lab, String(debian)],
      ...[`${Math.ceil(bytes / 2 ** 20)} MiB`, hosts.join(' ')],
    ])
    console.log(table([['snapshot', 'created (UTC)', 'of lab', 'Debian', 'size', 'hosts'], ...rows]).join('\n'))
  })
}

function remove(): Command {
  return new Command('delete-snapshot')
    .description('delete a snapshot; labs created from it are not affected')
    .argument('<snapshot>')
    .action(async (snapshot: string) => {
      const { deleteSnapshot } = await import('../index.ts')
      await deleteSnapshot(snapshot)
      console.log(`The snapshot "${snapshot}" is deleted.`)
    })
}
