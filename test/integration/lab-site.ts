import { sessions, transports } from '../../src/api/sessions.ts'
import { run } from '../../src/engine/run.ts'
import type { Lab } from '../../src/lab/index.ts'
import type { EventOf, Mode, RunEvent, Summary } from '../../src/model/event.ts'
import type { Group } from '../../src/model/inventory/host.ts'
import { inventory } from '../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { type Play, play } from '../../src/model/playbook/play.ts'
import { playbook } from '../../src/model/playbook/playbook.ts'
import type { Steps } from '../../src/model/playbook/steps.ts'

export interface Ran {
  readonly summary: Summary
  readonly events: readonly RunEvent[]
  /** Outcome, kind and name of each step. */
  readonly steps: readonly string[]
  readonly problems: readonly string[]
}

/** Runs steps on all hosts of a lab in this process, so that the steps can contain any TypeScript value. */
export function onLab(lab: Lab, steps: Steps, mode: Mode = 'apply'): Promise<Ran> {
  return playsOnLab(lab, (all) => [play('all', { hosts: all }, () => steps)], mode)
}

/** Runs plays that are created from all hosts of a lab. */
export async function playsOnLab(lab: Lab, plays: (all: Group) => readonly Play[], mode: Mode = 'apply'): Promise<Ran> {
  const site = inventorySchema({ all: hosts() })
  const events: RunEvent[] = []
  const of = <K extends RunEvent['kind']>(kind: K) => events.filter((event): event is EventOf<K> => event.kind === kind)
  const given = lab.hosts.map(({ name, address, ssh }) => [name, { address, ssh }] as const)
  const summary = await run(
    {
      mode,
      inventory: inventory(site, { all: { hosts: Object.fromEntries(given) } }),
      playbook: playbook(site, ({ all }) => plays(all)),
    },
    { open: sessions(transports({}), {}), emit: (event) => events.push(event) },
  )
  return {
    summary,
    events,
    steps: of('step').map(({ step, outcome }) => `${outcome} ${step.kind} ${step.name}`),
    problems: [...of('failed'), ...of('unreachable')].map(({ problem }) =>
      [problem.message, ...problem.details].join('\n'),
    ),
  }
}
