import { dueHandlers } from '../engine/apply/handlers.ts'
import { notConverged } from '../engine/errors/step-errors.ts'
import { FACTS } from '../model/playbook/delegate.ts'
import { type ExpandedStep, expand } from '../model/playbook/expand.ts'
import type { Steps } from '../model/playbook/steps.ts'
import type { Command } from '../model/resource/command.ts'
import type { Diff } from '../model/resource/diff.ts'
import type { FakeState } from '../model/resource/fake-state.ts'
import type { Ask } from '../model/resource/question.ts'
import type { Read } from '../model/resource/read.ts'
import type { Step } from '../model/resource/step.ts'
import { stepTitle } from '../report/format.ts'
import { Secret } from '../shell/secret.ts'
import { type FakeFile, FakeHost } from './fake-host.ts'
import type { RealHost } from './real.ts'

/** What came of bringing a real host to a state. */
export interface ConvergeResult {
  /** What there was to do, as `--check` would say it, in order: `create file /etc/motd`. Empty when the host was as wanted. */
  readonly plan: readonly string[]
  /** The names of the handlers that were due, in order: `reload nginx`. */
  readonly handlers: readonly string[]
}

/** What came of bringing a fake host to a state. */
export interface FakeConvergeResult extends ConvergeResult {
  /** What the host has now, by path. */
  readonly files: Readonly<Record<string, FakeFile>>
  /** Every command that a real host would have been given, in order. None was run. */
  readonly commands: readonly RecordedCommand[]
}

/** A command that a fake host was told. */
export interface RecordedCommand {
  /** Whose it is: `command build the index`, `handler reload nginx`. */
  readonly of: string
  /** The text for the host's shell; every secret in it is masked. */
  readonly script: string
  /** The user it would run as. */
  readonly as: string
}

/**
 * Brings a host to the state that these steps want, and looks again whether it has come true.
 *
 * A {@link fakeHost} is changed in memory, by what each kind of resource says that it becomes: that shows what a role wants of which
 * host, not whether the programs of a real one play along. A host of a lab (`lab.host('web1')`) is changed for real, over SSH.
 *
 * @param steps a role with its params, steps, or lists of them
 * @throws Problem where two steps want different things, so that another run would change the host again; on a real host for
 *   anything that fails
 * @example
 * const run = await converge(motd({ text: 'Welcome' }), fakeHost())
 * // run.plan: ['create file /etc/motd'], run.files['/etc/motd']?.text: 'Welcome\n'
 */
export async function converge(steps: Steps, host: FakeHost): Promise<FakeConvergeResult>
export async function converge(steps: Steps, host: RealHost): Promise<ConvergeResult>
export async function converge(steps: Steps, host: FakeHost | RealHost): Promise<ConvergeResult> {
  if (host instanceof FakeHost) return convergeFake(steps, host)
  // The engine and SSH are loaded when they are needed.
  const { convergeReal } = await import('./real.ts')
  return convergeReal(steps, host)
}

async function convergeFake(steps: Steps, host: FakeHost): Promise<FakeConvergeResult> {
  const { state: sketch } = host
  const placed = expand(steps, { facts: sketch.facts, answers: answersOf(sketch) }).steps
  await Promise.all(placed.map(({ step }) => step.prepare?.()))
  const plan = placed.flatMap((one) => planned(one, sketch))
  const commands: RecordedCommand[] = []
  const changed = new Set<Step>()
  for (const { step } of placed) {
    const have = asked(step.read, sketch)
    if (!step.diff(have)) continue
    changed.add(step)
    commands.push(...step.apply(have).map(told(stepTitle(step))))
    step.simulate?.(sketch)
  }
  const due = dueHandlers(
    placed.map(({ step }) => step),
    changed,
    new Set(),
  )
  for (const { handler } of due) commands.push(...handler.commands.map(told(`handler ${handler.name}`)))
  prove(placed, host)
  return { plan, handlers: due.map(({ handler }) => handler.name), files: host.files, commands }
}

function answersOf(sketch: FakeState) {
  return {
    has: () => true,
    get: ({ host, question }: Ask): unknown => {
      const other = sketch.other(host.name)
      return question === FACTS ? other.facts : asked(question.read, other)
    },
  }
}

/** Each question is one for the kind it belongs to, or else one that the test has an answer for. */
function asked<T>({ parts, value }: Read<T>, own: FakeState): T {
  return value(
    parts.map(({ family, query }) => {
      const host = family.on ? own.other(family.on.name) : own
      if (family.fakeValue) return family.fakeValue(host, query)
      return family.parse(host.answer(family.script([query]).text, family.as), [query])[0]
    }),
  )
}

function planned({ step }: ExpandedStep, sketch: FakeState): readonly string[] {
  const difference = differenceOf(step, sketch)
  return difference ? [`${difference.action} ${stepTitle(step)}`] : []
}

function differenceOf({ read, diff }: Step, sketch: FakeState): Diff | undefined {
  return diff(asked(read, sketch))
}

function told(of: string): (command: Command) => RecordedCommand {
  return ({ script, as = 'root' }) => ({ of, script: Secret.redact(script.text), as })
}

/** A kind that cannot say what becomes of a fake host proves nothing there. */
function prove(placed: readonly ExpandedStep[], { name, state: sketch }: FakeHost): void {
  for (const one of placed) {
    const difference = one.step.simulate && differenceOf(one.step, sketch)
    if (difference) throw notConverged({ name }, one, difference)
  }
}
