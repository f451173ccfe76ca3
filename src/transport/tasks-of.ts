import { randomBytes } from 'node:crypto'
import { type Dialect, encode, type Frame } from '../shell/frame.ts'
import type { Script } from './session.ts'
import { Task } from './task.ts'

export interface TripPlan {
  readonly dialect: Dialect
  /** The number of the first frame: no two frames of a session have the same. */
  readonly first: number
  readonly stopAtFailure: boolean
}

/** One trip's scripts ready to be sent. @throws TypeError for what cannot be sent, before anything is */
export function tasksOf(
  scripts: readonly Script[],
  { dialect, first, stopAtFailure }: TripPlan,
): readonly Task[] {
  return scripts.map((script, i) => {
    const frame = frameOf(script, { id: first + i, stopAtFailure })
    const follows = frame.input && 'follows' in frame.input ? script.input : undefined
    return new Task({ id: frame.id, text: encode(frame, dialect), follows, timeout: script.timeout })
  })
}

function frameOf(
  { script, mode = 'inline', input, as, timeout, mayFail = false }: Script,
  { id, stopAtFailure }: { readonly id: number; readonly stopAtFailure: boolean },
): Frame {
  if (as !== undefined && mode === 'inline') throw new TypeError(`only an isolated script can run as ${as}`)
  if (as !== undefined && !USER.test(as)) throw new TypeError(`"${as}" is no name of a user`)
  return {
    id,
    script,
    isolated: mode === 'isolated',
    input: input && travels(input),
    as,
    announced: timeout !== undefined,
    decisive: stopAtFailure && !mayFail,
    nonce: mode === 'isolated' ? randomBytes(9).toString('hex') : '',
  }
}

/** Few bytes go with the script, for a round trip takes longer than the shell needs to read them. */
function travels(input: Uint8Array): Frame['input'] {
  if (input.length === 0) return undefined
  return input.length <= INLINE ? input : { follows: input.length }
}

const INLINE = 64 * 1024

/** What useradd takes, at its most generous: the name stands unquoted behind a tilde. */
const USER = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/
