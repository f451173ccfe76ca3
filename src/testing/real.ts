import { sessions, transports } from '../cli/sessions.ts'
import { run } from '../engine/run.ts'
import type { Mode, RunEvent } from '../model/event.ts'
import type { Become, Ssh } from '../model/inventory/host.ts'
import { inventory } from '../model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../model/inventory/schema.ts'
import { play } from '../model/playbook/play.ts'
import { playbook } from '../model/playbook/playbook.ts'
import type { Steps } from '../model/playbook/steps.ts'
import type { Problem } from '../model/problem.ts'
import { stepTitle } from '../report/format.ts'
import type { ConvergeResult } from './converge.ts'

/** A machine that is reached over SSH, such as `lab.host('web1')`. */
export interface RealHost {
  readonly name: string
  readonly address: string
  readonly ssh?: Ssh
  readonly become?: Become
}

/** The same engine that the command line runs, on one host. @throws Problem for the first thing that failed */
export async function convergeReal(steps: Steps, host: RealHost): Promise<ConvergeResult> {
  const plan = (await events(steps, host, 'plan')).flatMap((event) =>
    event.kind === 'step' && event.outcome === 'planned'
      ? [`${event.difference.action} ${stepTitle(event.step)}`]
      : [],
  )
  const handlers = (await events(steps, host, 'apply')).flatMap((event) =>
    event.kind === 'handler' ? [event.name] : [],
  )
  return { plan, handlers }
}

async function events(
  steps: Steps,
  { name, ...reached }: RealHost,
  mode: Mode,
): Promise<readonly RunEvent[]> {
  const site = inventorySchema({ all: hosts() })
  const found: RunEvent[] = []
  await run(
    {
      mode,
      inventory: inventory(site, { all: { hosts: { [name]: reached } } }),
      playbook: playbook(site, ({ all }) => [play('test', { hosts: all }, () => steps)]),
    },
    { open: sessions(transports({}), {}), emit: (event) => void found.push(event) },
  )
  const problem = found.map(problemOf).find((one) => one !== undefined)
  if (problem) throw problem
  return found
}

function problemOf(event: RunEvent): Problem | undefined {
  return 'problem' in event ? event.problem : undefined
}
