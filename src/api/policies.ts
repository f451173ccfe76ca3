import { Guard } from '../engine/policy/guard.ts'
import type { TurnSteps } from '../engine/policy/turn.ts'
import { emptyAnswer, expandWithoutHost } from '../engine/read/without-hosts.ts'
import type { Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import type { Play } from '../model/playbook/play.ts'
import { Problem } from '../model/problem.ts'
import type { Diff } from '../model/resource/diff.ts'
import { RELEASES } from '../model/resource/facts.ts'
import type { Step } from '../model/resource/step.ts'
import { Secret } from '../shell/secret.ts'

interface Review {
  readonly problems: readonly Problem[]
  readonly notes: readonly string[]
}

/**
 * Checks the policies of an inventory as far as that is possible without hosts: rules that fail, and waivers that have expired. The changes
 * that a rule would refuse on new hosts are notes, since the hosts may already be in the declared state.
 */
export function reviewNewHosts(
  inventory: Pick<Inventory, 'policies' | 'waivers'>,
  plays: readonly Play[],
  now: () => Date = () => new Date(),
): Review {
  const expired = inventory.waivers
    .filter(({ until }) => until < now())
    .map(
      ({ of, until }) =>
        `A waiver for ${'policy' in of ? `"${of.policy}"` : of.step} has expired at ${until.toISOString()}.`,
    )
  if (inventory.policies.length === 0) return { problems: [], notes: expired }
  try {
    const guard = new Guard({ inventory, mode: 'validate', emit: () => {}, now })
    const refusals = guard.reviewAll(plays.flatMap((play) => play.hosts.flatMap((host) => stepsOn(play, host))))
    const notes = refusals.map(({ problem }) => `On a new host: ${problem.message}`)
    return { problems: [], notes: [...expired, ...notes] }
  } catch (error) {
    if (error instanceof Problem) return { problems: [error], notes: expired }
    throw error
  }
}

/** The steps of a new host, as far as they are known; errors of steps are reported elsewhere. */
function stepsOn(play: Play, host: Host): readonly TurnSteps[] {
  for (const release of RELEASES) {
    const expansion = ignoreErrors(() => expandWithoutHost(play.steps(host), host, release))
    if (!expansion) continue
    const steps = expansion.steps.map((expanded) => {
      return { expanded, difference: newHostDiff(expanded.step), known: false }
    })
    return [{ host, play, steps, pendingHandlers: new Set() }]
  }
  return []
}

/** No secret is asked for. A step with one has no fields then. */
function newHostDiff({ diff, read }: Step): Diff | undefined {
  try {
    return Secret.sealed(() => diff(emptyAnswer(read)))
  } catch {
    return { action: 'create', fields: [] }
  }
}

function ignoreErrors<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}
