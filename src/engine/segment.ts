import type { StepOutcome } from '../model/event.ts'
import { readAll } from '../model/read.ts'
import type { PlacedStep } from '../model/steps.ts'
import type { Script } from '../transport/session.ts'
import { askHost, pack } from './batch.ts'
import { failedStep, firstFailure } from './failures.ts'
import type { Member } from './member.ts'
import { owe, paid } from './owed.ts'
import { type Examined, examine } from './survey.ts'
import { asScript, stepInfo, type Turn } from './turn.ts'

/**
 * Does what these steps need and reads the ones that come next, in one round trip.
 *
 * @returns the next steps as they are after the changes
 * @throws Problem for the first step that failed
 */
export async function applySegment(
  segment: readonly Examined[],
  next: readonly PlacedStep[],
  turn: Turn,
): Promise<readonly Examined[]> {
  const { member, emit, play } = turn
  const todo = segment.filter(({ difference }) => difference)
  const before = turn.diff ? await textsBefore(todo, member) : new Map<Examined, readonly string[]>()
  const owned = scriptsOf(todo)
  const scripts = owned.map(({ script }) => script)
  const reading = pack(examine(member, next))
  if (todo.length > 0) {
    emit({ kind: 'applying', play, host: member.name, steps: todo.map(({ placed }) => stepInfo(placed)) })
    member.version++
  }
  const all = [...scripts, ...reading.scripts]
  const results = all.length === 0 ? [] : await member.session.run(all, { stopAtFailure: true })
  const failure = firstFailure(scripts, results)
  const culprit = failure && owned[failure.at]
  for (const one of segment) {
    const broken = failure && culprit?.one === one ? failedStep(member, one.placed, failure) : undefined
    const outcome: StepOutcome = broken
      ? { outcome: 'failed', problem: broken }
      : outcomeOf(one, before.get(one))
    if (outcome.outcome !== 'failed') member[outcome.outcome === 'ok' ? 'ok' : 'changed']++
    if (outcome.outcome === 'changed') {
      for (const { name } of one.placed.step.notify) member.owed.add(name)
      for (const { name } of one.placed.step.settles) member.owed.delete(name)
    }
    emit({ kind: 'step', play, host: member.name, step: stepInfo(one.placed), ...outcome })
    if (broken) {
      if (failure?.result.code === culprit?.undone) await forgive(one, member)
      throw broken
    }
  }
  return reading.value(results.slice(scripts.length))
}

function outcomeOf({ difference }: Examined, before: readonly string[] | undefined): StepOutcome {
  if (!difference) return { outcome: 'ok' }
  return { outcome: 'changed', difference, ...(before !== undefined && { before }) }
}

interface Owned {
  readonly script: Script
  readonly one: Examined
  /** The exit status with which it failed and left all as it was. */
  readonly undone?: number
}

/** The scripts of these steps, and to which step each belongs. */
function scriptsOf(todo: readonly Examined[]): readonly Owned[] {
  return todo.flatMap((one) => {
    const { step } = one.placed
    const debts = [...step.notify, ...step.settles]
    const commands = step.apply(one.have).map((command) => ({
      script: asScript(command),
      ...(command.undone !== undefined && { undone: command.undone }),
    }))
    const scripts: readonly Omit<Owned, 'one'>[] = [
      ...(debts.length > 0 ? [{ script: { script: owe(debts) } }] : []),
      ...commands,
      ...step.settles.map((handler) => ({ script: { script: paid(handler) } })),
    ]
    return scripts.map((script) => ({ ...script, one }))
  })
}

/** What a step owed for a change that it took back is not due; what others have left stays. */
async function forgive({ placed: { step } }: Examined, { session, owed }: Member): Promise<void> {
  const own = step.settles.filter(({ name }) => !owed.has(name))
  if (own.length > 0) await session.run(own.map((handler) => ({ script: paid(handler) })))
}

/** The texts of a host that are about to change. */
export async function textsBefore(
  steps: readonly Examined[],
  { session }: Member,
): Promise<ReadonlyMap<Examined, readonly string[]>> {
  const shown = steps.filter(({ difference }) => difference?.texts)
  const texts = await askHost(
    session,
    readAll(shown.map(({ difference }) => readAll((difference?.texts ?? []).map(({ before }) => before)))),
  )
  return new Map(shown.map((one, i) => [one, texts[i] ?? []]))
}
