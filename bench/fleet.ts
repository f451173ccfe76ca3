import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { downLab, type Lab, upLab } from '../src/lab/index.ts'
import { note, progress, type Run, series, table, timed } from './clock.ts'
import { provision } from './provision.ts'
import { measured, type Server, serve, type Usage, usageOf, writeKey } from './servers.ts'

/** The lab of the host whose answers are recorded. */
const LAB = 'scale'
const HOST = 'm1'
/** Server processes. */
const SERVERS = 2
/** The numbers of hosts with nothing to do, and of hosts that each change a file. */
const SIZES = [1, 500, 2_000, 10_000]
const CHANGED = [1, 100, 1_000]

interface FleetOptions {
  /** A folder that keeps the recorded answers for the next measurement. @default none is kept */
  readonly answers: string | undefined
  /** The largest number of hosts. */
  readonly most: number
}

/** Memory, processor time and open files of the program with many hosts. The hosts are simulated: they replay answers of a real host. */
export async function fleet({ answers, most }: FleetOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'provision-bench-'))
  const path = (name: string) => join(folder, name)
  const kept = answers ?? folder
  mkdirSync(kept, { recursive: true })
  const at = (name: string) => join(kept, name)
  const fingerprint = writeKey(path('key'))
  const use = (servers: readonly Server[], count: number) => {
    const hosts = Array.from({ length: count }, (_, i) => {
      const port = servers[i % servers.length]?.port
      const ssh = { host: '127.0.0.1', port, user: `h${i}`, identityFile: path('key'), hostKey: fingerprint }
      return [`h${i}`, { address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, ssh, become: { method: 'none' } }]
    })
    writeFileSync(path('hosts.json'), JSON.stringify(Object.fromEntries(hosts)))
  }
  const job = provision({ path }, 'site', measured(path('usage')))
  const check: Run = { ...job, cwd: folder, args: [...job.args, '--check'] }
  const apply: Run = { ...job, cwd: folder }
  /** Runs it with so many simulated hosts. */
  const measure = async (run: Run, file: string, count: number): Promise<Usage & { readonly seconds: number }> => {
    const servers = await Promise.all(
      Array.from({ length: SERVERS }, () => serve('fleet-server.js', path('key'), at(file))),
    )
    try {
      use(servers, count)
      const seconds = await timed(run)
      const used = usageOf(path('usage'))
      progress(`${count} hosts: ${seconds.toFixed(1)} s, ${used.processor.toFixed(2)} s of its processor`)
      return { seconds, ...used }
    } finally {
      for (const { child } of servers) child.kill()
    }
  }
  try {
    if (!existsSync(at('changed.json'))) await recordAnswers({ job: apply, at, key: path('key'), use })
    const rows: string[][] = []
    for (const [title, run, file, sizes] of [
      ['nothing to do', check, 'same.json', SIZES],
      ['one file changes', apply, 'changed.json', CHANGED],
    ] as const) {
      let first: number | undefined
      for (const count of sizes.filter((one) => one <= most)) {
        const { seconds, processor, memory, files } = await measure(run, file, count)
        first ??= processor
        const each = count === 1 ? '' : ((1000 * (processor - first)) / (count - 1)).toFixed(1)
        note(`fleet: ${count} hosts, ${title}, own processor`, 's', series([processor]))
        note(`fleet: ${count} hosts, ${title}, memory`, 'MiB', series([memory / 1024]))
        rows.push([
          `${count}, ${title}`,
          seconds.toFixed(1),
          processor.toFixed(2),
          each,
          (memory / 1024).toFixed(0),
          `${files}`,
        ])
      }
    }
    return table(
      ['simulated hosts', 'seconds', 'own processor, s', 'ms a host above a run with one', 'MiB at most', 'open files'],
      rows,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Recording {
  readonly job: Run
  readonly at: (name: string) => string
  readonly key: string
  readonly use: (servers: readonly Server[], count: number) => void
}

/** Records the answers of a real host in the declared state, and those of a run that changes one of its files. */
async function recordAnswers({ job, at, key, use }: Recording): Promise<void> {
  await downLab(LAB)
  const lab = await upLab({ name: LAB, hosts: [HOST] })
  try {
    const through = async (file: string) => {
      const upstream = ['ssh', '-F', lab.sshConfig, HOST, 'sudo -n sh']
      const server = await serve('fleet-server.js', key, file, ...upstream)
      try {
        use([server], 1)
        await timed(job)
      } finally {
        server.child.kill()
      }
    }
    await through(at('first.json'))
    await through(at('same.json'))
    await change(lab)
    await through(at('changed.json'))
  } finally {
    await downLab(LAB)
  }
}

async function change(lab: Lab): Promise<void> {
  const { code, stderr } = await lab.exec(
    HOST,
    'file=$(find /srv/job -type f | sort | head -n 1); echo changed >>$file',
  )
  if (code !== 0) throw new Error(stderr)
}
