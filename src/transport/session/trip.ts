import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { OpenStream } from '../../model/resource/command.ts'
import type { Clock } from '../clock.ts'
import { type Dialect, encode, encodeShared, type Frame, TRAILER, TRIP } from './frame.ts'
import type { Script } from './session.ts'
import { Task } from './task.ts'

interface TripPlan {
  readonly dialect: Dialect
  /** The id of the first frame. Ids are unique in a session. */
  readonly firstId: number
  readonly stopAtFailure: boolean
  /** Multiplies the timeouts. */
  readonly timeoutFactor: number
  readonly clock: Clock
}

/**
 * Prepares the scripts of one trip for sending.
 *
 * @throws TypeError for a script that cannot be sent, Problem for an input that cannot be read; before anything is sent
 */
export async function createTasks(
  scripts: readonly Script[],
  { dialect, firstId, stopAtFailure, timeoutFactor, clock }: TripPlan,
): Promise<readonly Task[]> {
  const framed = await Promise.all(
    scripts.map(async (script, i) => {
      const { input, follows } = await inputOf(script)
      return { script, frame: frameOf(script, { id: firstId + i, input, stopAtFailure }), follows }
    }),
  )
  const texts = textsOf(
    framed.map(({ frame }) => frame),
    dialect,
  )
  return framed.map(({ script, frame: { id }, follows }) => {
    return new Task({ id, script, text: texts.get(id) ?? EMPTY, follows, timeoutFactor, clock })
  })
}

/** Texts by frame id. Adjacent shared frames have one text, under the id of the first. */
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

const EMPTY = Buffer.alloc(0)

function frameOf(
  { script, mode = 'inline', as, timeout, onProgress, mayFail = false }: Script,
  { id, input, stopAtFailure }: Pick<Frame, 'id' | 'input'> & { readonly stopAtFailure: boolean },
): Frame {
  if (as !== undefined && mode !== 'isolated') throw new TypeError(`only an isolated script can run as ${as}`)
  if (onProgress && mode !== 'isolated') throw new TypeError('only an isolated script can report progress')
  if (as !== undefined && !USER.test(as)) throw new TypeError(`"${as}" is not a user name`)
  return {
    id,
    script,
    isolated: mode === 'isolated',
    shared: mode === 'shared' && input === undefined,
    input,
    as,
    asks: mayFail,
    reportsStart: timeout !== undefined,
    reportsProgress: onProgress !== undefined,
    stopsTrip: stopAtFailure && !mayFail,
    nonce: mode === 'isolated' ? randomBytes(9).toString('hex') : '',
  }
}

interface Input {
  readonly input: Frame['input']
  readonly follows: Task['follows']
}

/** Small inputs go with the script: a round trip takes longer than the shell needs to read them. */
async function inputOf({ input, onProgress }: Script): Promise<Input> {
  if (!input) return { input: undefined, follows: undefined }
  const { size, pieces } = input instanceof Uint8Array ? inMemory(input) : await input.open()
  if (size === 0) return { input: undefined, follows: undefined }
  if (size > INLINE) return { input: { follows: size }, follows: withProgress({ size, pieces }, onProgress) }
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return { input: Buffer.concat(all), follows: undefined }
}

function inMemory(bytes: Uint8Array): OpenStream {
  return { size: bytes.length, pieces: Readable.from([bytes]) }
}

/** Reports regularly how much was sent. */
async function* withProgress(
  { size, pieces }: OpenStream,
  onProgress: Script['onProgress'],
): AsyncIterable<Uint8Array> {
  let passed = 0
  let last = performance.now()
  for await (const piece of pieces) {
    yield piece
    passed += piece.length
    if (!onProgress || performance.now() - last < PROGRESS_INTERVAL) continue
    last = performance.now()
    onProgress(`${inMiB(passed)} of ${inMiB(size)} MiB sent`)
  }
}

function inMiB(bytes: number): number {
  return Math.round(bytes / 1024 ** 2)
}

/** Milliseconds. */
const PROGRESS_INTERVAL = 1_000

const INLINE = 64 * 1024

/** The most that useradd accepts: the name stands unquoted after a tilde. */
const USER = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/

interface TripWriter {
  /** Starts a round trip with these bytes. */
  readonly write: (text: Buffer) => Promise<void>
  /** Sends a piece of an input; resolves when there is room for the next. */
  readonly writeInput: (piece: Uint8Array) => Promise<void>
}

/**
 * Sends the scripts of a trip in one write. An input that follows ends the write, because the shell reads ahead and would take its bytes
 * for text. It is sent with the rest of the trip when the host is ready for it.
 */
export async function sendTasks(tasks: readonly Task[], { write, writeInput }: TripWriter): Promise<void> {
  let parts: Uint8Array[] = [Buffer.from(TRIP)]
  for (const { text, follows, ready } of tasks) {
    parts.push(text)
    if (!follows) continue
    await write(Buffer.concat(parts))
    parts = []
    if (!(await ready)) continue
    for await (const piece of follows) await writeInput(piece)
    parts = [Buffer.from(TRAILER)]
  }
  if (parts.length > 0) await write(Buffer.concat(parts))
}
