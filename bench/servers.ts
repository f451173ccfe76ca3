import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'

/** The use of the machine by a process. */
export interface Usage {
  /** The peak, KiB. */
  readonly memory: number
  /** Seconds of all its threads, in user and kernel mode. */
  readonly processor: number
  /** The peak. */
  readonly files: number
}

/** The environment of a program in Node that records its use in a file. */
export function measured(file: string): Readonly<Record<string, string>> {
  return { BENCH_USAGE: file, NODE_OPTIONS: `--import=${join(import.meta.dirname, 'usage.js')}` }
}

export function usageOf(file: string): Usage {
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** Creates the key of servers and logins. @returns the fingerprint */
export function writeKey(file: string): string {
  const { private: secret, public: open } = ssh2.utils.generateKeyPairSync('ed25519')
  writeFileSync(file, secret, { mode: 0o600 })
  const blob = Buffer.from(open.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

export interface Server {
  readonly child: ChildProcess
  readonly port: number
}

/** Starts an SSH server of this folder. */
export async function serve(program: string, ...args: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  return { child, port: Number(String(line)) }
}
