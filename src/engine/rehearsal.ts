import type { Host } from '../model/host.ts'
import type { Inventory } from '../model/inventory.ts'
import type { Playbook } from '../model/play.ts'
import type { Entries } from '../model/stack.ts'
import { answerOfNothing, imagine, RELEASES } from './made-up.ts'

/**
 * Goes through the whole plan on hosts that have nothing, so that each secret which a run will need is asked for now. Later, with
 * sessions open, a person who takes a minute to type would keep all hosts waiting. What goes wrong here goes wrong again, and is
 * told, in the run itself.
 */
export function rehearse<S extends Entries>(
  { values }: Inventory<S>,
  playbook: Playbook<S>,
  limit: (host: Host) => boolean = () => true,
): void {
  const plays = attempt(() => playbook.plays(values)) ?? []
  for (const play of plays) {
    for (const host of play.hosts.filter(limit)) {
      const steps = attempt(() => imagine(play.steps(host), host, RELEASES[0]).steps) ?? []
      for (const { step } of steps) attempt(() => step.diff(answerOfNothing(step.read)))
    }
  }
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}
