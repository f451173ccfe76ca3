import { dueHandlers } from '../engine/apply/due-handlers.ts'
import { notConverged } from '../engine/errors/step-errors.ts'
import { expand } from '../model/playbook/expand.ts'
import type { ExpandedStep, Steps } from '../model/playbook/steps.ts'
import type { Command } from '../model/resource/command.ts'
import type { Diff } from '../model/resource/diff.ts'
import type { FakeState } from '../model/resource/fake-state.ts'
import type { Ask } from '../model/resource/question.ts'
import type { Read } from '../model/resource/read.ts'
import { FACTS } from '../model/resource/read-facts.ts'
import type { Step } from '../model/resource/step.ts'
import { stepTitle } from '../report/format.ts'
import { Secret } from '../shell/secret.ts'
import { FakeHost } from './fake-host.ts'
import type { ConvergeResult, FakeConvergeResult, RealHost, RecordedCommand } from './result.ts'

/**
 * Applies steps to a host and checks that a second run has nothing to change.
 *
 * A {@link fakeHost} is changed in memory by the `simulate` of each kind: this tests the steps of a role, not that the programs of a host
 * accept them. A host of a lab (`lab.host('web1')`) is changed over SSH.
 *
 * @param steps a role with its params, steps, or lists of them
 * @throws Problem if two steps contradict each other, and for the first failure on a real host
 * @example
 * const run = await converge(motd({ text: 'Welcome' }), fakeHost())
 * // run.plan: ['create file /etc/motd'], run.files['/etc/motd']?.text: 'Welcome\n'
 */
export async function converge(steps: Steps, host: FakeHost): Promise<FakeConvergeResult>
export async function converge(steps: Steps, host: RealHost): Promise<ConvergeResult>
export async function converge(steps: Steps, host: FakeHost | RealHost): Promise<ConvergeResult> {
  if (host instanceof FakeHost) return convergeFake(steps, host)
  // Loads the engine and SSH on demand.
  const { convergeReal } = await import('./real.ts')
  return convergeReal(steps, host)
}

async function convergeFake(steps: Steps, host: FakeHost): Promise<FakeConvergeResult> {
  const { state } = host
  const expandAll = (some: Steps) =>
    expand(some, { facts: state.facts, host: host.host, answers: answersOf(state) }).steps
  const expanded = [...expandAll(steps)]
  await Promise.all(expanded.map(({ step }) => step.prepare?.()))
  const plan = expanded.flatMap(({ step }) => {
    const diff = diffOf(step, state)
    return diff ? [`${diff.action} ${stepTitle(step)}`] : []
  })
  const commands: RecordedCommand[] = []
  const changed = new Set<Step>()
  const handlers: string[] = []
  let since: Step[] = []
  const flush = () => {
    for (const { handler } of dueHandlers(since, changed, new Set())) {
      handlers.push(handler.name)
      commands.push(...handler.commands.map(recorded(`handler ${handler.name}`)))
    }
    since = []
  }
  // A command adds the steps from its output.
  for (let at = 0; at < expanded.length; at++) {
    const { step, more } = expanded[at] ?? {}
    if (!step) break
    if (step.flushesHandlers) flush()
    since.push(step)
    const have = readFake(step.read, state)
    if (!step.diff(have)) continue
    changed.add(step)
    const own = step.apply(have)
    commands.push(...own.map(recorded(stepTitle(step))))
    step.simulate?.(state)
    if (more) expanded.splice(at + 1, 0, ...expandAll(more(outputOf(own, state))))
  }
  flush()
  assertConverged(expanded, host)
  return { plan, handlers, files: host.files, commands }
}

/** The output of commands, as the test answers them. */
function outputOf(commands: readonly Command[], own: FakeState): string {
  return commands.map(({ script, as, on }) => (on ? own.other(on.name) : own).answer(script.text, as).stdout).join('')
}

function answersOf(state: FakeState) {
  return {
    has: () => true,
    get: ({ host, question }: Ask): unknown => {
      const other = state.other(host.name)
      return question === FACTS ? other.facts : readFake(question.read, other)
    },
  }
}

/** Answers each part of a read from the fake state, or from the test's answers if the kind has no fake value. */
function readFake<T>({ parts, value }: Read<T>, own: FakeState): T {
  return value(
    parts.map(({ family, query }) => {
      const host = family.on ? own.other(family.on.name) : own
      if (family.fakeValue) return family.fakeValue(host, query)
      return family.parse(host.answer(family.script([query]).text, family.as), [query])[0]
    }),
  )
}

function diffOf({ read, diff }: Step, state: FakeState): Diff | undefined {
  return diff(readFake(read, state))
}

function recorded(of: string): (command: Command) => RecordedCommand {
  return ({ script, as = 'root' }) => ({ of, script: Secret.redact(script.text), as })
}

/** Skips kinds without `simulate`, whose fake state does not change. */
function assertConverged(expanded: readonly ExpandedStep[], { name, state }: FakeHost): void {
  for (const one of expanded) {
    const diff = one.step.simulate && diffOf(one.step, state)
    if (diff) throw notConverged({ name }, one, diff)
  }
}
