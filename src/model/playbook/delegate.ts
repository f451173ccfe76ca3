import type { Host } from '../inventory/host.ts'
import type { Diff } from '../resource/diff.ts'
import type { FakeState } from '../resource/fake-state.ts'
import type { Handler } from '../resource/handler.ts'
import { elsewhere } from '../resource/read.ts'
import type { Step } from '../resource/step.ts'

/** The same step for another host: it is read and applied there, and its handlers run there. */
export function stepOn(step: Step, host: Host): Step {
  const { pool: _own, ...alone } = step
  const { notify, satisfies } = alone
  return Object.freeze({
    ...alone,
    on: host,
    name: `${step.name} on ${host.name}`,
    notify: notify.map((one) => handlerOn(one, host)),
    satisfies: satisfies.map((one) => handlerOn(one, host)),
    read: elsewhere(step.read, host),
    diff: (have: unknown) => differenceOn(step.diff(have), host),
    // A command that has its own host keeps it.
    apply: (have: unknown) => step.apply(have).map((command) => ({ ...command, on: command.on ?? host })),
    ...(step.simulate && { simulate: (own: FakeState) => step.simulate?.(own.other(host.name)) }),
  })
}

function handlerOn({ name, commands }: Handler, host: Host): Handler {
  return { name: `${name} on ${host.name}`, commands: commands.map((command) => ({ ...command, on: host })) }
}

function differenceOn(difference: Diff | undefined, host: Host): Diff | undefined {
  if (!difference?.texts) return difference
  const texts = difference.texts.map((text) => ({ ...text, before: elsewhere(text.before, host) }))
  return { ...difference, texts }
}
