import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { OpenStream } from '../../model/resource/command.ts'
import type { Clock } from '../clock.ts'
import { type Dialect, encode, encodeShared, type Frame } from './frame.ts'
import type { Script } from './session.ts'
import { Task } from './tasks.ts'

export interface TripPlan {
  readonly dialect: Dialect
  /** The number of the first frame: no two frames of a session have the same. */
  readonly first: number
  readonly stopAtFailure: boolean
  /** Multiplies the timeouts. */
  readonly timeoutFactor: number
  readonly clock: Clock
}

/**
 * One trip's scripts ready to be sent.
 *
 * @throws TypeError for what cannot be sent, Problem for an input that is not to be had; before anything is sent
 */
export async function createTasks(
  scripts: readonly Script[],
  { dialect, first, stopAtFailure, timeoutFactor, clock }: TripPlan,
): Promise<readonly Task[]> {
  const made = await Promise.all(
    scripts.map(async (script, i) => {
      const { input, follows } = await inputOf(script)
      return { script, frame: frameOf(script, { id: first + i, input, stopAtFailure }), follows }
    }),
  )
  const texts = textsOf(
    made.map(({ frame }) => frame),
    dialect,
  )
  return made.map(({ script, frame: { id }, follows }) => {
    const timeout = script.timeout === undefined ? undefined : script.timeout * timeoutFactor
    const { hear, started: onStart, done: onDone } = script
    return new Task({ id, text: texts.get(id) ?? NOTHING, follows, timeout, clock, hear, onStart, onDone })
  })
}

/** By frame. Shared frames that stand side by side have one text, which belongs to the first of them. */
function textsOf(frames: readonly Frame[], dialect: Dialect): ReadonlyMap<number, Buffer> {
  const texts = new Map<number, Buffer>()
  for (let at = 0; at < frames.length; ) {
    const end = frames.findIndex((frame, i) => i >= at && !frame.shared)
    const shared = frames.slice(at, end === -1 ? undefined : end)
    const [first = frames[at]] = shared
    if (!first) break
    texts.set(first.id, shared.length > 1 ? encodeShared(shared, dialect) : encode(first, dialect))
    at += Math.max(1, shared.length)
  }
  return texts
}

const NOTHING = Buffer.alloc(0)

function frameOf(
  { script, mode = 'inline', as, timeout, hear, mayFail = false }: Script,
  { id, input, stopAtFailure }: Pick<Frame, 'id' | 'input'> & { readonly stopAtFailure: boolean },
): Frame {
  if (as !== undefined && mode !== 'isolated') throw new TypeError(`only an isolated script can run as ${as}`)
  if (hear && mode !== 'isolated') throw new TypeError('only an isolated script can say something')
  if (as !== undefined && !USER.test(as)) throw new TypeError(`"${as}" is no name of a user`)
  return {
    id,
    script,
    isolated: mode === 'isolated',
    shared: mode === 'shared' && input === undefined,
    input,
    as,
    asks: mayFail,
    announced: timeout !== undefined,
    says: hear !== undefined,
    decisive: stopAtFailure && !mayFail,
    nonce: mode === 'isolated' ? randomBytes(9).toString('hex') : '',
  }
}

interface Input {
  readonly input: Frame['input']
  readonly follows: Task['follows']
}

/** Few bytes go with the script, for a round trip takes longer than the shell needs to read them. */
async function inputOf({ input, hear }: Script): Promise<Input> {
  if (!input) return { input: undefined, follows: undefined }
  const { size, pieces } = input instanceof Uint8Array ? whole(input) : await input.open()
  if (size === 0) return { input: undefined, follows: undefined }
  if (size > INLINE) return { input: { follows: size }, follows: told({ size, pieces }, hear) }
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return { input: Buffer.concat(all), follows: undefined }
}

function whole(bytes: Uint8Array): OpenStream {
  return { size: bytes.length, pieces: Readable.from([bytes]) }
}

/** Says from time to time how much of it was read. */
async function* told({ size, pieces }: OpenStream, hear: Script['hear']): AsyncIterable<Uint8Array> {
  let passed = 0
  let last = performance.now()
  for await (const piece of pieces) {
    yield piece
    passed += piece.length
    if (!hear || performance.now() - last < TOLD_EVERY) continue
    last = performance.now()
    hear(`${inMiB(passed)} of ${inMiB(size)} MiB sent`)
  }
}

function inMiB(bytes: number): number {
  return Math.round(bytes / 1024 ** 2)
}

/** Milliseconds. */
const TOLD_EVERY = 1_000

const INLINE = 64 * 1024

/** What useradd takes, at its most generous: the name stands unquoted behind a tilde. */
const USER = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/
