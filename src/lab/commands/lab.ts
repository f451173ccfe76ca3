import { type Command, InvalidArgumentError, Option } from 'commander'
import { table } from '../../report/format.ts'
import { elapsed } from '../../shell/duration.ts'
import type { HostStatus } from '../index.ts'
import { DEFAULT_NAME } from '../network/addresses.ts'
import { type LabOptions, labSubcommand, open, percentOfCore } from './shared.ts'

/** Commands for a whole lab. */
export function powerCommands(): readonly Command[] {
  return [up(), down(), status()]
}

interface UpFlags extends LabOptions {
  readonly debian?: '12' | '13'
  readonly hosts?: readonly string[]
  readonly cpu?: number
  readonly from?: string
}

function up(): Command {
  return labSubcommand('up', 'create the hosts, power them on, and remove injected faults')
    .addOption(new Option('--debian <release>', 'Debian release of the hosts (default: 13)').choices(['12', '13']))
    .option(
      '--hosts <names>',
      'hosts to add: web1,web2 (default: two each of lb, web, app and db, and witness1 on Debian 13)',
      list,
    )
    .option(
      '--cpu <percent>',
      'CPU limit of each host in percent of a core (default: $LAB_CPU, else none)',
      percentOfCore,
    )
    .option('--from <snapshot>', 'create the lab from a snapshot')
    .action(async ({ name, debian, hosts, cpu, from }: UpFlags) => {
      const { upLab } = await import('../index.ts')
      const begin = Date.now()
      const lab = await upLab({
        name,
        ...(hosts && { hosts }),
        ...(from !== undefined && { from }),
        ...(cpu !== undefined && { cpuPercent: cpu }),
        ...(debian && { debian: debian === '13' ? 13 : 12 }),
        log: (line) => console.log(line),
      })
      const flag = name === DEFAULT_NAME ? '' : ` --name ${name}`
      const { https, http } = lab.ports
      const count = lab.hosts.length === 1 ? '1 host is' : `${lab.hosts.length} hosts are`
      console.log(`${count} up (${elapsed(Date.now() - begin)})`)
      console.log(`  provision lab ssh${flag} ${lab.hosts[0]?.name ?? ''}`)
      console.log(`  https://127.0.0.1:${https} and http://127.0.0.1:${http} lead to ${lab.vip}`)
    })
}

function down(): Command {
  return labSubcommand('down', 'stop a lab and delete its hosts with all their data').action(
    async ({ name }: LabOptions) => {
      const { downLab } = await import('../index.ts')
      await downLab(name)
      console.log(`The lab "${name}" is deleted.`)
    },
  )
}

function status(): Command {
  return labSubcommand('status', 'show the state and ports of each host').action(async ({ name }: LabOptions) => {
    const lab = await open(name)
    const { https, http } = lab.ports
    console.log(statusTable(await lab.status(), Date.now()))
    console.log(`\nhttps://127.0.0.1:${https} and http://127.0.0.1:${http} lead to ${lab.vip}`)
  })
}

function list(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every(Boolean)) return names
  throw new InvalidArgumentError('Separate names by commas: web1,web2')
}

/** Renders one row per host, with a header. */
export function statusTable(hosts: readonly HostStatus[], now: number): string {
  const rows = hosts.map(({ name, address, power, faults, since, port }) => [
    name,
    address,
    [power, ...faults].join(', '),
    power === 'off' ? '' : elapsed(now - since),
    `127.0.0.1:${port}`,
  ])
  return table([['host', 'address', 'state', 'up for', 'ssh'], ...rows]).join('\n')
}
