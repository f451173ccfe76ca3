import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { directory } from '../src/resources/directory.ts'
import { type Run, type Series, series, shown, table, timed } from './clock.ts'
import { readScript } from './floor.ts'
import { provision } from './provision.ts'

const COUNT = 500
/** Processes that play hosts: on few cores, more would only stand in each other's way. */
const SERVERS = 2

/** Many hosts at once: what each takes of our memory, and how fast they are met. */
export async function connections(runs: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'provision-bench-'))
  const path = (name: string) => join(folder, name)
  const fingerprint = writeKey(path('key'))
  const servers = await Promise.all(Array.from({ length: SERVERS }, () => serve(path('key'))))
  try {
    const write = (count: number) => {
      const hosts = Array.from({ length: count }, (_, i) => {
        const port = servers[i % SERVERS]?.port
        const ssh = { host: '127.0.0.1', port, user: 'root', identityFile: path('key'), hostKey: fingerprint }
        return [`h${i}`, { address: `10.9.${i >> 8}.${i & 255}`, ssh, become: { method: 'none' } }]
      })
      writeFileSync(path('hosts.json'), JSON.stringify(Object.fromEntries(hosts)))
    }
    const ours = provision({ path }, 'look', {
      BENCH_MEMORY: path('memory'),
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'memory.js')}`,
    })
    const look: Run = { ...ours, args: [...ours.args, '--check'] }
    writeFileSync(path('read.sh'), readScript(directory('/')))
    const bare: Run = {
      command: process.execPath,
      args: [join(import.meta.dirname, 'bare.js'), path('hosts.json'), path('read.sh'), 'sh -s'],
    }
    const memory = () => Number(readFileSync(path('memory'), 'utf8')) / 1024

    write(1)
    await timed(look)
    await timed(look)
    const idle = memory()
    write(COUNT)
    const seconds = { ours: [] as number[], bare: [] as number[], memory: [] as number[] }
    for (let n = 0; n <= runs; n++) {
      const took = { ours: await timed(look), bare: await timed(bare) }
      if (n === 0) continue
      seconds.ours.push(took.ours)
      seconds.bare.push(took.bare)
      seconds.memory.push((memory() - idle) / (COUNT - 1))
    }
    const each = series(seconds.memory)
    const rate = (all: Series) => `${Math.round(COUNT / all.median)}`
    const [own, other] = [series(seconds.ours), series(seconds.bare)]
    return table(
      [`${COUNT} hosts of a light server`, 'seconds', 'hosts a second', 'MiB a host above a run with one'],
      [
        ['Provision', shown(own), rate(own), `${shown(each)} (${Math.round(idle)} with one)`],
        ['bare ssh2 in Node', shown(other), rate(other), ''],
      ],
    )
  } finally {
    for (const { child } of servers) child.kill()
    rmSync(folder, { recursive: true })
  }
}

/** @returns its fingerprint */
function writeKey(file: string): string {
  const { private: secret, public: open } = ssh2.utils.generateKeyPairSync('ed25519')
  writeFileSync(file, secret, { mode: 0o600 })
  const blob = Buffer.from(open.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

async function serve(key: string): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'light-server.js'), key], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  return { child, port: Number(String(line)) }
}
