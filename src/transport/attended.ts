import { randomBytes } from 'node:crypto'
import { Secret } from '../shell/secret.ts'
import type { Shell } from '../shell/sh.ts'
import { quote } from '../text/quote.ts'
import { type Become, startShell } from './become.ts'
import { Lost } from './lost.ts'
import { refusal } from './refusal.ts'
import { settled } from './settled.ts'
import type { Link, Wire } from './wire.ts'

export interface Attending {
  /** The host's name, for messages. */
  readonly host: string
  readonly become: Become
  readonly script: Shell
  /** Told what it writes, as it comes. */
  readonly hear: (stream: 'stdout' | 'stderr', piece: Buffer) => void
  /** Milliseconds after which it is stopped. @default none */
  readonly timeout?: number
  /** Stops it. */
  readonly stop?: AbortSignal
}

export interface Attended {
  /** The exit status; 128 and more for a signal. */
  readonly code: number
  readonly timedOut: boolean
}

/**
 * Runs a command that lives only as long as we listen: when it is stopped, or we are gone, it is killed with all that it started in
 * its session. It reads nothing. Unlike a script of a session it is heard while it runs, however much it writes.
 *
 * @throws Problem when the shell could not be had, Lost when the connection is gone
 */
export async function attend(link: Link, attending: Attending): Promise<Attended> {
  const { host, become, script, hear, stop } = attending
  const wire = await startShell(link, { host, become, shell: 'sh', patience: PATIENCE })
  const token = `there-${randomBytes(12).toString('hex')}\n`
  const heard = listening(wire, token, hear)
  wire.stdin.on('error', () => {})
  wire.stdin.write(guarded(script, token))
  const { ending, timedOut } = await ended(wire, attending)
  await drained(wire, heard)
  wire.stdin.end()
  if (ending.lost !== undefined && !stop?.aborted && !timedOut) throw new Lost(host, ending.lost)
  if (!heard.begun && !stop?.aborted && !timedOut)
    throw refusal({ host, become, said: Secret.redact(heard.said), ending })
  return { code: ending.code ?? KILLED, timedOut }
}

interface Heard {
  /** Whether the script has begun. */
  begun: boolean
  /** What the shell wrote to stderr until then. */
  said: string
  pieces: number
}

/** Tells what the script writes, after the token, from what a profile of the user writes before it. */
function listening(wire: Wire, token: string, hear: Attending['hear']): Heard {
  const heard: Heard = { begun: false, said: '', pieces: 0 }
  let before = ''
  const silence = setTimeout(() => {
    heard.said += `\nno answer in ${PATIENCE / 1000} s`
    wire.destroy()
  }, PATIENCE)
  void wire.ended.then(() => clearTimeout(silence))
  wire.stdout.on('data', (piece: Buffer) => {
    heard.pieces++
    if (heard.begun) return hear('stdout', piece)
    before += piece.toString('latin1')
    const at = before.indexOf(token)
    if (at < 0) return
    heard.begun = true
    clearTimeout(silence)
    const rest = before.slice(at + token.length)
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
async function ended(wire: Wire, { timeout, stop }: Pick<Attending, 'timeout' | 'stop'>) {
  let timedOut = false
  let giveUp: NodeJS.Timeout | undefined
  const end = () => {
    wire.stdin.end()
    giveUp ??= setTimeout(() => wire.destroy(), LEAVING)
  }
  const late = () => {
    timedOut = true
    end()
  }
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout)
  stop?.addEventListener('abort', end)
  if (stop?.aborted) end()
  const ending = await wire.ended
  for (const one of [timer, giveUp]) clearTimeout(one)
  stop?.removeEventListener('abort', end)
  return { ending, timedOut }
}

/** All that was written before it ended is here afterwards; what it has left behind may write on. */
async function drained(wire: Wire, heard: Heard): Promise<void> {
  for (let before = -1, tries = 0; before !== heard.pieces && tries < 40; tries++) {
    before = heard.pieces
    await settled(wire)
  }
}

/**
 * One compound command, of which a shell runs nothing when it was cut off. The script goes through a pipe, so that no process list
 * shows it. The guard waits for the end of what we send, which comes with the end of us.
 */
function guarded({ text }: Shell, token: string): string {
  const program = quote(`eval ${quote(text)} </dev/null`)
  const guard = `{ cat <&3; trap '' TERM; kill -TERM -$p; for i in ${TRIES}; do kill -0 -$p || exit; sleep .1; done; kill -KILL -$p; } >/dev/null 2>&1 & g=$!`
  return `{ umask 022; LC_ALL=C.UTF-8; export LC_ALL; exec 3<&0; printf %s ${quote(token)}; printf %s ${program} | setsid sh 3<&- & p=$!; ${guard}; exec 3<&-; { wait $p; } 2>/dev/null; r=$?; { kill $g; wait $g; } 2>/dev/null; exit $r; }\n`
}

/** Tenths of a second for what is told to end, before it is killed. */
const TRIES = Array.from({ length: 20 }, (_, i) => i).join(' ')

/** Milliseconds until a shell must be there, and until one that was told to end is given up. */
const PATIENCE = 30_000
const LEAVING = 5_000
const KILLED = 137
