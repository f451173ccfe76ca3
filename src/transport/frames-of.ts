import { randomBytes } from 'node:crypto'
import type { Frame } from '../shell/frame.ts'
import type { Script } from './session.ts'

/** The frames of one trip. */
export function framesOf(
  scripts: readonly Script[],
  { first, stopAtFailure }: { readonly first: number; readonly stopAtFailure: boolean },
): readonly Frame[] {
  return scripts.map(({ script, mode = 'inline', input, as, timeout, mayFail = false }, i) => {
    if (as !== undefined && mode === 'inline') throw new TypeError(`only an isolated script can run as ${as}`)
    if (as !== undefined && !USER.test(as)) throw new TypeError(`"${as}" is no name of a user`)
    return {
      id: first + i,
      script,
      isolated: mode === 'isolated',
      input: input && travels(input),
      as,
      announced: timeout !== undefined,
      decisive: stopAtFailure && !mayFail,
      nonce: mode === 'isolated' ? randomBytes(9).toString('hex') : '',
    }
  })
}

/** Few bytes go with the script, for a round trip takes longer than the shell needs to read them. */
function travels(input: Uint8Array): Frame['input'] {
  if (input.length === 0) return undefined
  return input.length <= INLINE ? input : { follows: input.length }
}

const INLINE = 64 * 1024

/** What useradd takes, at its most generous: the name stands unquoted behind a tilde. */
const USER = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/
