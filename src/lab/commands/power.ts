import { type Command, InvalidArgumentError, Option } from 'commander'
import { elapsed } from '../../shell/duration.ts'
import { DEFAULT_LAB, type LabOptions, labSubcommand, open, percentOfCore } from './shared.ts'
import { statusTable } from './status.ts'

/** A whole lab: up, down, and how it is. */
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
  return labSubcommand('up', 'makes the hosts, or mends what is not as it should be; leaves alone what is')
    .addOption(new Option('--debian <release>', 'what the hosts run (default: 13)').choices(['12', '13']))
    .option('--hosts <names>', 'hosts to add: web1,web2 (default: two each of lb, web, app and db)', list)
    .option(
      '--cpu <percent>',
      'percent of a core that each host gets (default: $LAB_CPU, or no limit)',
      percentOfCore,
    )
    .option('--from <snapshot>', 'makes the lab of a snapshot')
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
      const flag = name === DEFAULT_LAB ? '' : ` --name ${name}`
      const { https, http } = lab.ports
      const count = lab.hosts.length === 1 ? '1 host is' : `${lab.hosts.length} hosts are`
      console.log(`${count} up (${elapsed(Date.now() - begin)})`)
      console.log(`  provision lab ssh${flag} ${lab.hosts[0]?.name ?? ''}`)
      console.log(`  https://127.0.0.1:${https} and http://127.0.0.1:${http} lead to ${lab.vip}`)
    })
}

function down(): Command {
  return labSubcommand('down', 'ends a lab and deletes its hosts with all that is on them').action(
    async ({ name }: LabOptions) => {
      const { downLab } = await import('../index.ts')
      await downLab(name)
      console.log(`The lab "${name}" is gone.`)
    },
  )
}

function status(): Command {
  return labSubcommand('status', 'shows each host, and the ports that lead to it').action(
    async ({ name }: LabOptions) => {
      const lab = await open(name)
      const { https, http } = lab.ports
      console.log(statusTable(await lab.status(), Date.now()))
      console.log(`\nhttps://127.0.0.1:${https} and http://127.0.0.1:${http} lead to ${lab.vip}`)
    },
  )
}

function list(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every(Boolean)) return names
  throw new InvalidArgumentError('Write names with commas between: web1,web2')
}
