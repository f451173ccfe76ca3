import type { StepInfo } from '../model/event.ts'
import type { Host } from '../model/host.ts'
import type { Inventory } from '../model/inventory.ts'
import type { Playbook } from '../model/play.ts'
import { within } from '../model/problem.ts'
import { imagine, RELEASES, Unimaginable } from './made-up.ts'
import { actOf } from './run.ts'
import { type Selecting, Selection } from './selection.ts'
import type { Survey } from './survey.ts'
import { stepInfo } from './turn.ts'
import { refuseUnfit } from './unfit.ts'

/** The steps of one play for one host. */
export interface Outlined {
  readonly play: string
  readonly host: string
  readonly steps: readonly StepInfo[]
}

export interface Foreseeing {
  readonly inventory: Inventory
  readonly playbook: Playbook
  readonly limit: (host: Host) => boolean
  readonly select: Selecting
}

/**
 * What a playbook does on which host, as if the hosts were new. Undefined when that hangs on what hosts answer: then only they can tell.
 *
 * @throws Problem for what is wrong with the playbook or a role
 */
export function foreseen({
  inventory,
  playbook,
  limit,
  select,
}: Foreseeing): readonly Outlined[] | undefined {
  refuseUnfit(playbook, inventory)
  const plays = within('the playbook', undefined, () => playbook.plays(inventory.values))
  const acts = plays.map((play) => actOf(play, limit))
  const selection = new Selection(select, acts, () => true)
  const surveys = new Map<string, Survey[]>()
  for (const { play, hosts, steps } of acts)
    for (const host of hosts) {
      const imagined = attempt(() =>
        imagine(steps.get(host.name), host, RELEASES[0], { takesOnce: selection.takesOnce(play, host.name) }),
      )
      if (!imagined || imagined.guessed || imagined.incomplete) return undefined
      const examined = selection
        .keep(play, imagined.steps)
        .map((placed) => ({ placed, have: undefined, difference: undefined }))
      const own = surveys.get(host.name) ?? []
      surveys.set(host.name, [...own, { play, examined, asks: [], version: 0, at: 0 }])
    }
  const kept = selection.begin(surveys)
  return acts.flatMap(({ play, hosts }) =>
    hosts.map(({ name: host }) => {
      const own = kept.get(host)?.find((one) => one.play === play)
      return {
        play: play.label,
        host,
        steps: (own?.examined ?? []).map(({ placed }) => stepInfo(placed)),
      }
    }),
  )
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch (error) {
    if (error instanceof Unimaginable) return undefined
    throw error
  }
}
