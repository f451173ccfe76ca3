import type { Ask } from '../model/ask.ts'
import { FACTS } from '../model/delegated.ts'
import type { Facts } from '../model/facts.ts'
import type { Host } from '../model/host.ts'
import type { Read } from '../model/read.ts'
import { type Steps, type UnfoldContext, type Unfolded, unfold } from '../model/steps.ts'

/** A release of Debian to make hosts up with. */
export interface Release {
  readonly version: number
  readonly codename: string
}

export const RELEASES: readonly [Release, ...Release[]] = [
  { version: 13, codename: 'trixie' },
  { version: 12, codename: 'bookworm' },
]

/** A small host that was just installed. */
export function madeUpFacts({ name }: Pick<Host, 'name'>, { version, codename }: Release): Facts {
  return {
    hostname: name,
    cpus: 2,
    memory: 4 * 1024 ** 3,
    architecture: 'amd64',
    os: { id: 'debian', version, codename },
    interface: 'eth0',
    interfaces: [],
    container: false,
    bootId: '00000000-0000-0000-0000-000000000000',
  }
}

/** What a question is answered where nothing is: each of its scripts fails without a word. @throws what the question makes of that */
export function answerOfNothing<T>({ parts, value }: Read<T>): T {
  const answer = { code: 1, stdout: '', stderr: '', bytes: Buffer.alloc(0) }
  return value(parts.map(({ family, query }) => family.parse(answer, [query])[0]))
}

/** @property guessed whether the steps hang on answers of hosts that nobody has asked */
export type Imagined = Unfolded & { readonly guessed: boolean }

/** The steps of a host that has nothing yet and was never met. @throws {@link Unimaginable} where it depends on a made-up answer */
export function imagine(
  steps: Steps,
  host: Host,
  release: Release,
  more: Pick<UnfoldContext, 'takesOnce'> = {},
): Imagined {
  let guessed = false
  const answerTo = ({ host: asked, question }: Ask): unknown => {
    if (question === FACTS) return madeUpFacts(asked, release)
    guessed = true
    return answerOfNothing(question.read)
  }
  const answers = { has: (ask: Ask) => canSay(() => answerTo(ask)), get: answerTo }
  try {
    return { ...unfold(steps, { facts: madeUpFacts(host, release), answers, ...more }), guessed }
  } catch (error) {
    throw guessed ? new Unimaginable('it depends on what hosts answer', { cause: error }) : error
  }
}

/** Steps that only real answers can tell. */
export class Unimaginable extends Error {
  override readonly name = 'Unimaginable'
}

function canSay(body: () => unknown): boolean {
  try {
    body()
    return true
  } catch {
    return false
  }
}
