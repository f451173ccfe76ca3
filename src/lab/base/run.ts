import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The result of a command. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Receives each line of its stderr as it comes. */
  readonly onLine?: (line: string) => void
}

/** Runs a program on this machine. @throws Error if it fails */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRun(command, args, options)
  if (code === 0) return stdout
  throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${stderr.trim().slice(-2000)}`)
}

/** Runs a program that may fail. The status of a signal is 128 plus its number, as in a shell. */
export function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: searchPath(), LC_ALL: 'C.UTF-8', ...options.env },
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer | string) => err.push(Buffer.from(chunk)))
    if (options.onLine) eachLine(child.stderr, options.onLine)
    child.stdin.on('error', () => {}) // It has ended without reading its input.
    child.stdin.end(options.input ?? '')
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({
        code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      })
    })
  })
}

/** The search path with the directories of `ip` and `mount`, which a user's path may lack. */
export function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin`
}

/** Calls back for each complete line of a stream. (Unlike readline, it does not emit the stream's errors again.) */
export function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}

/** The command that runs this package's command line, from sources as from compiled code. */
export function ownCommand(...args: readonly string[]): readonly string[] {
  return [process.execPath, '--max-semi-space-size=1', programPath(), ...args]
}

function programPath(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const program = join(directory, 'bin', 'provision.js')
    if (existsSync(program)) return program
    if (directory === dirname(directory)) throw new Error('bin/provision.js is not in this package')
  }
}
