import { randomBytes } from 'node:crypto'
import { quote } from '../../shell/quote.ts'
import { Secret } from '../../shell/secret.ts'
import type { Shell } from '../../shell/sh.ts'
import { Clock, type Limit } from '../clock.ts'
import { ConnectionLost } from '../errors.ts'
import { DEFAULTS } from '../timeouts.ts'
import type { Connection, RemoteProcess } from '../transport.ts'
import { drainOutput } from '../transport.ts'
import { type Become, startShell } from './become.ts'
import { becomeError } from './become-errors.ts'
import { type Challenge, challenge, wrongShell } from './challenge.ts'

export interface ForegroundCommand {
  /** The host's name, for messages. */
  readonly host: string
  readonly become: Become
  readonly script: Shell
  /** Told what it writes, as it comes. */
  readonly hear: (stream: 'stdout' | 'stderr', piece: Buffer) => void
  /** Milliseconds after which it is stopped. @default none */
  readonly timeout?: number
  /** Milliseconds until the shell must be there. @default 60 seconds */
  readonly shellTimeout?: number
  /** Multiplies `timeout`. @default 1 */
  readonly timeoutFactor?: number
  /** Measures the limits. @default a clock of its own */
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
 * Runs a command that lives only as long as we listen: when it is stopped, or we are gone, it is killed with all that it started in
 * its session. It reads nothing. Unlike a script of a session it is heard while it runs, however much it writes.
 *
 * @throws Problem when the shell could not be had, ConnectionLost when the connection is gone
 */
export async function runInForeground(
  link: Connection,
  attending: ForegroundCommand,
): Promise<ForegroundResult> {
  const { host, become, script, hear, stop } = attending
  const { shellTimeout = DEFAULTS.shell, clock = new Clock() } = attending
  const wire = await startShell(link, { host, become, shell: 'sh', timeout: shellTimeout, clock })
  const asked = challenge(become)
  const nonce = `there-${randomBytes(12).toString('hex')}`
  const heard = listening(wire, { nonce, asked }, { hear, shellTimeout, clock })
  wire.stdin.on('error', () => {})
  wire.stdin.write(guarded(script, { nonce, asked }))
  const { ending, timedOut } = await ended(wire, { ...attending, clock })
  await drainFrom(wire, heard, clock)
  wire.stdin.end()
  if (heard.wrong !== undefined) throw wrongShell(host, become, heard.wrong)
  if (ending.lost !== undefined && !stop?.aborted && !timedOut) throw new ConnectionLost(host, ending.lost)
  if (!heard.begun && !stop?.aborted && !timedOut)
    throw becomeError({ host, become, said: Secret.redact(heard.said), ending })
  return { code: ending.code ?? KILLED, timedOut }
}

interface Proof {
  /** Goes before the answer. */
  readonly nonce: string
  readonly asked: Challenge
}

interface Heard {
  /** Whether the script has begun. */
  begun: boolean
  /** The answer that was not the right one. */
  wrong?: string
  /** What the shell wrote to stderr until then. */
  said: string
  pieces: number
}

/** Tells what the script writes, after the proof, from what a profile of the user writes before it. */
function listening(
  wire: RemoteProcess,
  { nonce, asked }: Proof,
  { hear, shellTimeout, clock }: Required<Pick<ForegroundCommand, 'hear' | 'shellTimeout' | 'clock'>>,
): Heard {
  const heard: Heard = { begun: false, said: '', pieces: 0 }
  let before = ''
  const silence = clock.limit({
    ms: shellTimeout,
    expire() {
      heard.said += `\nno answer in ${shellTimeout / 1000} s`
      wire.destroy()
    },
  })
  void wire.ended.then(() => silence.end())
  wire.stdout.on('data', (piece: Buffer) => {
    heard.pieces++
    if (heard.begun) return hear('stdout', piece)
    before += piece.toString('latin1')
    const [whole, answer] = new RegExp(`${nonce} (not .*|\\d+)\n`).exec(before) ?? []
    if (asked.isEcho(before) || (answer !== undefined && answer !== asked.answer)) {
      heard.wrong = answer ?? ''
      wire.destroy()
    }
    if (whole === undefined || heard.wrong !== undefined) return
    heard.begun = true
    silence.end()
    const rest = before.slice(before.indexOf(whole) + whole.length)
    if (rest) hear('stdout', Buffer.from(rest, 'latin1'))
  })
  wire.stderr.on('data', (piece: Buffer) => {
    heard.pieces++
    if (heard.begun) hear('stderr', piece)
    else heard.said += piece.toString()
  })
  return heard
}

/** Waits for its end, and brings that about when it is late, or to be stopped. */
async function ended(
  wire: RemoteProcess,
  {
    timeout,
    timeoutFactor = 1,
    stop,
    clock,
  }: Pick<ForegroundCommand, 'timeout' | 'timeoutFactor' | 'stop'> & { readonly clock: Clock },
) {
  let timedOut = false
  let giveUp: Limit | undefined
  const end = () => {
    wire.stdin.end()
    giveUp ??= clock.limit({ ms: LEAVING, expire: () => wire.destroy() })
  }
  const late = () => {
    timedOut = true
    end()
  }
  const limit = timeout === undefined ? undefined : clock.limit({ ms: timeout * timeoutFactor, expire: late })
  stop?.addEventListener('abort', end)
  if (stop?.aborted) end()
  const ending = await wire.ended
  for (const one of [limit, giveUp]) one?.end()
  stop?.removeEventListener('abort', end)
  return { ending, timedOut }
}

/** All that was written before it ended is here afterwards; what it has left behind may write on. */
async function drainFrom(wire: RemoteProcess, heard: Heard, clock: Clock): Promise<void> {
  for (let before = -1, tries = 0; before !== heard.pieces && tries < 40; tries++) {
    before = heard.pieces
    await drainOutput(wire, clock)
  }
}

/**
 * One compound command, of which a shell runs nothing when it was cut off. The script goes through a pipe, so that no process list
 * shows it. The guard waits for the end of what we send, which comes with the end of us.
 */
function guarded({ text }: Shell, { nonce, asked }: Proof): string {
  const program = quote(`eval ${quote(text)} </dev/null`)
  const guard = `{ cat <&3; trap '' TERM; kill -TERM -$p; for i in ${TRIES}; do kill -0 -$p || exit; sleep .1; done; kill -KILL -$p; } >/dev/null 2>&1 & g=$!`
  return `{ umask 022; LC_ALL=C.UTF-8; export LC_ALL; ${asked.text}
printf '${nonce} %s\\n' "$_y"; case $_y in not*) exit 77;; esac; exec 3<&0; printf %s ${program} | setsid sh 3<&- & p=$!; ${guard}; exec 3<&-; { wait $p; } 2>/dev/null; r=$?; { kill $g; wait $g; } 2>/dev/null; exit $r; }\n`
}

/** Tenths of a second for what is told to end, before it is killed. */
const TRIES = Array.from({ length: 20 }, (_, i) => i).join(' ')

/** Milliseconds until a shell that was told to end is given up. */
const LEAVING = 5_000
const KILLED = 137
