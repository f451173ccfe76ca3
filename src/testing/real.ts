import { sessions, transports } from '../api/sessions.ts'
import { run } from '../engine/run.ts'
import type { Mode, RunEvent } from '../model/event.ts'
import { inventory } from '../model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../model/inventory/schema.ts'
import { play } from '../model/playbook/play.ts'
import { playbook } from '../model/playbook/playbook.ts'
import type { Steps } from '../model/playbook/steps.ts'
import { stepTitle } from '../report/format.ts'
import type { ConvergeResult, RealHost } from './result.ts'

/** Plans and applies the steps on one host with the same engine as the command line. @throws Problem for the first failure */
export async function convergeReal(steps: Steps, host: RealHost): Promise<ConvergeResult> {
  const plan = (await eventsOf(steps, host, 'plan')).flatMap((event) =>
    event.kind === 'step' && event.outcome === 'planned' ? [`${event.difference.action} ${stepTitle(event.step)}`] : [],
  )
  const handlers = (await eventsOf(steps, host, 'apply')).flatMap((event) =>
    event.kind === 'handler' ? [event.name] : [],
  )
  return { plan, handlers }
}

async function eventsOf(steps: Steps, { name, ...host }: RealHost, mode: Mode): Promise<readonly RunEvent[]> {
  const schema = inventorySchema({ all: hosts() })
  const events: RunEvent[] = []
  await run(
    {
      mode,
      inventory: inventory(schema, { all: { hosts: { [name]: host } } }),
      playbook: playbook(schema, ({ all }) => [play('test', { hosts: all }, () => steps)]),
    },
    { open: sessions(transports({}), {}), emit: (event) => void events.push(event) },
  )
  for (const event of events) if ('problem' in event && event.problem) throw event.problem
  return events
}
