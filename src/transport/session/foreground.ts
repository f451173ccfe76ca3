import { randomBytes } from 'node:crypto'
import { Secret } from '../../shell/secret.ts'
import { quote, type Shell } from '../../shell/sh.ts'
import { Clock, DEFAULTS, type Limit } from '../clock.ts'
import { ConnectionLost } from '../errors.ts'
import { type Connection, drainOutput, type Exit, type RemoteProcess } from '../transport.ts'
import { becomeError, type Challenge, challenge, startShell, wrongShell } from './become.ts'
import type { Become } from './session.ts'

export interface ForegroundCommand {
  /** The host's name, for messages. */
  readonly host: string
  readonly become: Become
  readonly script: Shell
  /** Receives its output as it comes. */
  readonly onOutput: (stream: 'stdout' | 'stderr', piece: Buffer) => void
  /** Milliseconds after which it is stopped. @default none */
  readonly timeout?: number
  /** Milliseconds until the shell must be there. @default 60 seconds */
  readonly shellTimeout?: number
  /** Multiplies `timeout`. @default 1 */
  readonly timeoutFactor?: number
  /** Measures the limits. @default a new clock */
  readonly clock?: Clock
  /** Stops it. */
  readonly stop?: AbortSignal
}

export interface ForegroundResult {
  /** The exit status; 128 and more for a signal. */
  readonly code: number
  readonly timedOut: boolean
}

/**
 * Runs a command that lives only as long as this process: if it is stopped or the connection ends, it is killed with all processes of its
 * session. It reads nothing. Unlike a script of a session, its output is delivered while it runs and is not limited.
 *
 * @throws Problem if there is no shell, ConnectionLost if the connection is lost
 */
export async function runInForeground(connection: Connection, command: ForegroundCommand): Promise<ForegroundResult> {
  const { host, become, script, stop } = command
  const { shellTimeout = DEFAULTS.shell, clock = new Clock() } = command
  const process = await startShell(connection, { host, become, shell: 'sh', timeout: shellTimeout, clock })
  const proof = { nonce: `there-${randomBytes(12).toString('hex')}`, challenge: challenge(become) }
  const output = listen(process, proof, { ...command, shellTimeout, clock })
  process.stdin.on('error', () => {})
  process.stdin.write(guardedScript(script, proof))
  const { exit, timedOut } = await waitForExit(process, { ...command, clock })
  await drainAll(process, output, clock)
  process.stdin.end()
  if (output.wrongAnswer !== undefined) throw wrongShell(host, become, output.wrongAnswer)
  if (exit.lost !== undefined && !stop?.aborted && !timedOut) throw new ConnectionLost(host, exit.lost)
  if (!output.started && !stop?.aborted && !timedOut)
    throw becomeError({ host, become, stderr: Secret.redact(output.stderr), exit })
  return { code: exit.code ?? KILLED, timedOut }
}

interface Proof {
  /** Precedes the answer. */
  readonly nonce: string
  readonly challenge: Challenge
}

interface Output {
  /** True after the right answer to the challenge. */
  started: boolean
  wrongAnswer?: string
  /** The shell's stderr before the start. */
  stderr: string
  pieces: number
}

/** Separates the script's output, which follows the proof, from that of the user's profile before it. */
function listen(
  process: RemoteProcess,
  { nonce, challenge }: Proof,
  { onOutput, shellTimeout, clock }: Required<Pick<ForegroundCommand, 'onOutput' | 'shellTimeout' | 'clock'>>,
): Output {
  const output: Output = { started: false, stderr: '', pieces: 0 }
  let before = ''
  const silence = clock.limit({
    ms: shellTimeout,
    expire() {
      output.stderr += `\nno answer in ${shellTimeout / 1000} s`
      process.destroy()
    },
  })
  void process.exit.then(() => silence.end())
  process.stdout.on('data', (piece: Buffer) => {
    output.pieces++
    if (output.started) return onOutput('stdout', piece)
    before += piece.toString('latin1')
    const [line, answer] = new RegExp(`${nonce} (not .*|\\d+)\n`).exec(before) ?? []
    if (challenge.isEcho(before) || (answer !== undefined && answer !== challenge.answer)) {
      output.wrongAnswer = answer ?? ''
      process.destroy()
    }
    if (line === undefined || output.wrongAnswer !== undefined) return
    output.started = true
    silence.end()
    const rest = before.slice(before.indexOf(line) + line.length)
    if (rest) onOutput('stdout', Buffer.from(rest, 'latin1'))
  })
  process.stderr.on('data', (piece: Buffer) => {
    output.pieces++
    if (output.started) onOutput('stderr', piece)
    else output.stderr += piece.toString()
  })
  return output
}

/** Waits for its end; ends it on a timeout or stop. */
async function waitForExit(
  process: RemoteProcess,
  { timeout, timeoutFactor = 1, stop, clock }: ForegroundCommand & { readonly clock: Clock },
): Promise<{ readonly exit: Exit; readonly timedOut: boolean }> {
  let timedOut = false
  let giveUp: Limit | undefined
  const end = () => {
    process.stdin.end()
    giveUp ??= clock.limit({ ms: END_TIMEOUT, expire: () => process.destroy() })
  }
  const expire = () => {
    timedOut = true
    end()
  }
  const limit = timeout === undefined ? undefined : clock.limit({ ms: timeout * timeoutFactor, expire })
  stop?.addEventListener('abort', end)
  if (stop?.aborted) end()
  const exit = await process.exit
  limit?.end()
  giveUp?.end()
  stop?.removeEventListener('abort', end)
  return { exit, timedOut }
}

/** Reads all output from before its end; processes that it left behind may write on. */
async function drainAll(process: RemoteProcess, output: Output, clock: Clock): Promise<void> {
  for (let before = -1, tries = 0; before !== output.pieces && tries < 40; tries++) {
    before = output.pieces
    await drainOutput(process, clock)
  }
}

/**
 * One compound command: a shell runs nothing of a truncated text. The script goes through a pipe, so that no process list shows it. The
 * guard waits for the end of stdin, which comes when the connection ends, and kills the script.
 */
function guardedScript({ text }: Shell, { nonce, challenge }: Proof): string {
  const program = quote(`eval ${quote(text)} </dev/null`)
  const guard = `{ cat <&3; trap '' TERM; kill -TERM -$p; for i in ${TRIES}; do kill -0 -$p || exit; sleep .1; done; kill -KILL -$p; } >/dev/null 2>&1 & g=$!`
  return `{ umask 022; LC_ALL=C.UTF-8; export LC_ALL; ${challenge.text}
printf '${nonce} %s\\n' "$_y"; case $_y in not*) exit 77;; esac; exec 3<&0; printf %s ${program} | setsid sh 3<&- & p=$!; ${guard}; exec 3<&-; { wait $p; } 2>/dev/null; r=$?; { kill $g; wait $g; } 2>/dev/null; exit $r; }\n`
}

/** Tenths of a second between SIGTERM and SIGKILL. */
const TRIES = Array.from({ length: 20 }, (_, i) => i).join(' ')

/** Milliseconds until an ended shell must have exited. */
const END_TIMEOUT = 5_000
const KILLED = 137
