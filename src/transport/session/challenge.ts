import { randomInt } from 'node:crypto'
import { quote } from '../../shell/quote.ts'
import { BecomeFailed } from '../errors.ts'
import type { Become } from './become.ts'

/**
 * A question that only a POSIX shell of the wanted user answers: a login shell may start any program in place of ours, which then
 * reads our text as another user, or sends it back.
 */
export interface Challenge {
  /** Shell text that puts the answer into `$_y`: the sum, or `not NAME` of the user that it is instead. Starts a process only where it is not root. */
  readonly text: string
  /** The answer that is right. The text does not contain it. */
  readonly answer: string
  /** True when this is our text instead of an answer to it. */
  isEcho(said: string): boolean
}

export function challenge(become: Become): Challenge {
  const [a, b] = [randomInt(1e8, 1e9), randomInt(1e8, 1e9)]
  const sum = `$((${a} + ${b}))`
  return {
    text: `_y=${sum}; ${otherThan(become)}`,
    answer: String(a + b),
    isEcho: (said) => said.includes(sum),
  }
}

function otherThan({ method, user = 'root' }: Become): string {
  if (method === 'none') return ':'
  if (user !== 'root') return `_n=$(id -un); [ "$_n" = ${quote(user)} ] || _y="not $_n"`
  return `while read -r _t _l _n _o; do [ "$_t" = Uid: ] && break; done 2>/dev/null </proc/$$/status
[ "$_t" = Uid: ] || _n=$(id -u); [ "$_n" = 0 ] || _y="not $(id -un)"`
}

/** The problem with a wrong answer. */
export function wrongShell(host: string, become: Become, answer: string): BecomeFailed {
  const { method, user = 'root' } = become
  const [, name] = /^not (.*)$/.exec(answer) ?? []
  const giver = method === 'none' ? host : `${method} on ${host}`
  if (name === undefined)
    return new BecomeFailed(`${giver} gave no POSIX shell: it returned the text that it was sent`, {
      next: LOGIN_FILES,
    })
  return new BecomeFailed(`${giver} gave a shell of ${name}, not of ${user}`, { next: LOGIN_FILES })
}

const LOGIN_FILES =
  'The login shell of the user starts another program before the command: see ~/.bashrc and the files that it reads'
