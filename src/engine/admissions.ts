import type { Admission } from '../model/admission.ts'
import type { Ask } from '../model/ask.ts'
import { FACTS } from '../model/delegated.ts'
import type { Host } from '../model/host.ts'
import type { Play } from '../model/play.ts'
import { Problem } from '../model/problem.ts'
import { unfold } from '../model/steps.ts'
import { madeUpFacts, RELEASES, type Release } from './made-up.ts'

/** Whom each host would let in, by its name, as its roles unfold where nothing is yet. What hangs on the answers of hosts is left out. */
export function admissionsOf(plays: readonly Play[]): ReadonlyMap<string, readonly Admission[]> {
  const found = new Map<string, Admission[]>()
  for (const play of plays)
    for (const host of play.hosts) {
      const admits = admissionsIn(play, host)
      if (admits.length > 0) found.set(host.name, [...(found.get(host.name) ?? []), ...admits])
    }
  return found
}

/** A role may know one release alone. */
function admissionsIn(play: Play, host: Host): readonly Admission[] {
  for (const release of RELEASES) {
    try {
      const { steps } = unfold(play.steps(host), {
        facts: madeUpFacts(host, release),
        answers: onlyFacts(release),
      })
      return steps.flatMap(({ step }) => step.ingress ?? [])
    } catch (error) {
      // What is wrong with it is for `provision validate` to say.
      if (!(error instanceof Problem)) throw error
    }
  }
  return []
}

function onlyFacts(release: Release) {
  return {
    has: ({ question }: Ask) => question === FACTS,
    get: ({ host }: Ask): unknown => madeUpFacts(host, release),
  }
}
