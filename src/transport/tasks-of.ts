import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Opened } from '../model/streamed.ts'
import { type Dialect, encode, type Frame } from '../shell/frame.ts'
import type { Script } from './session.ts'
import { Task } from './task.ts'

export interface TripPlan {
  readonly dialect: Dialect
  /** The number of the first frame: no two frames of a session have the same. */
  readonly first: number
  readonly stopAtFailure: boolean
}

/**
 * One trip's scripts ready to be sent.
 *
 * @throws TypeError for what cannot be sent, Problem for an input that is not to be had; before anything is sent
 */
export async function tasksOf(
  scripts: readonly Script[],
  { dialect, first, stopAtFailure }: TripPlan,
): Promise<readonly Task[]> {
  return Promise.all(
    scripts.map(async (script, i) => {
      const { input, follows } = await inputOf(script)
      const frame = frameOf(script, { id: first + i, input, stopAtFailure })
      const { timeout, hear } = script
      return new Task({ id: frame.id, text: encode(frame, dialect), follows, timeout, hear })
    }),
  )
}

function frameOf(
  { script, mode = 'inline', as, timeout, hear, mayFail = false }: Script,
  { id, input, stopAtFailure }: Pick<Frame, 'id' | 'input'> & { readonly stopAtFailure: boolean },
): Frame {
  if (as !== undefined && mode === 'inline') throw new TypeError(`only an isolated script can run as ${as}`)
  if (hear && mode === 'inline') throw new TypeError('only an isolated script can say something')
  if (as !== undefined && !USER.test(as)) throw new TypeError(`"${as}" is no name of a user`)
  return {
    id,
    script,
    isolated: mode === 'isolated',
    input,
    as,
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

function whole(bytes: Uint8Array): Opened {
  return { size: bytes.length, pieces: Readable.from([bytes]) }
}

/** Says from time to time how much of it was read. */
async function* told({ size, pieces }: Opened, hear: Script['hear']): AsyncIterable<Uint8Array> {
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
