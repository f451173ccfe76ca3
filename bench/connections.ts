import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directory } from '../src/resources/files/directory.ts'
import { note, type Run, series, shown, table, timed } from './clock.ts'
import { readScript } from './floor.ts'
import { provision } from './provision.ts'
import { measured, serve, usageOf, writeKey } from './servers.ts'

const COUNT = 500
/** Server processes. On few cores more would only slow each other down. */
const SERVERS = 2

/** Memory and processor time per host with many connections. */
export async function connections(runs: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'provision-bench-'))
  const path = (name: string) => join(folder, name)
  const fingerprint = writeKey(path('key'))
  const servers = await Promise.all(Array.from({ length: SERVERS }, () => serve('light-server.js', path('key'))))
  try {
    const write = (count: number) => {
      const hosts = Array.from({ length: count }, (_, i) => {
        const port = servers[i % SERVERS]?.port
        const ssh = { host: '127.0.0.1', port, user: 'root', identityFile: path('key'), hostKey: fingerprint }
        return [`h${i}`, { address: `10.9.${i >> 8}.${i & 255}`, ssh, become: { method: 'none' } }]
      })
      writeFileSync(path('hosts.json'), JSON.stringify(Object.fromEntries(hosts)))
    }
    const env = measured(path('usage'))
    const ours = provision({ path }, 'look', env)
    writeFileSync(path('read.sh'), readScript(directory('/')))
    const bare = (...args: readonly string[]): Run => ({
      command: process.execPath,
      args: [join(import.meta.dirname, 'bare.js'), path('hosts.json'), ...args],
      env,
    })
    const tools = [
      { name: 'Provision', run: { ...ours, args: [...ours.args, '--check'] } },
      { name: 'bare ssh2 in Node that asks the same', run: bare(path('read.sh'), 'sh -s') },
      { name: 'bare ssh2 in Node that only logs in', run: bare() },
    ].map((one) => ({ ...one, seconds: [] as number[], processor: [] as number[], memory: [] as number[] }))
    const usage = () => usageOf(path('usage'))

    write(1)
    const idle = new Map<string, number>()
    for (const { name, run } of [...tools, ...tools]) {
      await timed(run)
      idle.set(name, usage().memory)
    }
    write(COUNT)
    for (let n = 0; n <= runs; n++) {
      for (const { name, run, seconds, processor, memory } of tools) {
        const took = await timed(run)
        if (n === 0) continue
        seconds.push(took)
        processor.push(usage().processor)
        memory.push((usage().memory - (idle.get(name) ?? 0)) / 1024 / (COUNT - 1))
      }
    }
    // The lower bound of a login shows the speed of the machine.
    const floor = series(tools.at(-1)?.processor ?? []).median
    for (const { name, processor, memory } of tools) {
      note(`${COUNT} hosts, own processor: ${name}`, 's', series(processor), floor)
      note(`${COUNT} hosts, memory a host: ${name}`, 'MiB', series(memory))
    }
    return table(
      [
        `${COUNT} hosts of a light server`,
        'seconds',
        'hosts a second',
        'of them its own processor, s',
        'MiB a host above a run with one',
      ],
      tools.map(({ name, seconds, processor, memory }) => [
        name,
        shown(series(seconds)),
        `${Math.round(COUNT / series(seconds).median)}`,
        shown(series(processor)),
        shown(series(memory)),
      ]),
    )
  } finally {
    for (const { child } of servers) child.kill()
    rmSync(folder, { recursive: true })
  }
}
