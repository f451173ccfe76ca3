import { spawn } from 'node:child_process'
import { eachLine } from './lines.ts'

/** What came of a command. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Each line of what it says on stderr, as it comes. */
  readonly onLine?: (line: string) => void
}

/** Runs a program of the machine, and throws when it fails. (Not execa: a supervisor that lives for days stays small.) */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await tryRun(command, args, options)
  if (code === 0) return stdout
  throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${stderr.trim().slice(-2000)}`)
}

/** The same, for programs that may fail. A signal counts as 128 and its number, as in a shell. */
export function tryRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
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
    child.stdin.on('error', () => {}) // it ended without reading
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

/** A user's own search path lacks the directories where `ip` and `mount` may live. */
export function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin`
}
