import type { StepOutcome } from '../model/event.ts'
import { readAll } from '../model/read.ts'
import type { PlacedStep } from '../model/steps.ts'
import { askHost, pack } from './batch.ts'
import { type Failure, failedStep, firstFailure, interrupted } from './failures.ts'
import type { Member } from './member.ts'
import { paid } from './owed.ts'
import type { RoutedScript } from './routed.ts'
import { guilty, type Owned, scriptsOf } from './scripts-of.ts'
import { type Examined, examine } from './survey.ts'
import { announce, stepInfo, type Turn } from './turn.ts'

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
  if (todo.length > 0) await turn.begin()
  const before = turn.diff ? await textsBefore(todo, member) : new Map<Examined, readonly string[]>()
  const owned = scriptsOf(todo, turn)
  const scripts = owned.map(({ script }) => script)
  const reading = pack(examine(member, next))
  if (todo.length > 0) {
    emit({ kind: 'applying', play, host: member.name, steps: todo.map(({ placed }) => stepInfo(placed)) })
    member.version++
  }
  announce(scripts, turn)
  const told = new Set<Examined>()
  const done = new Set<Owned>()
  const tell = (one: Examined) => {
    told.add(one)
    const outcome = outcomeOf(one, before.get(one))
    member[outcome.outcome]++
    if (outcome.outcome === 'changed') {
      for (const { name } of one.placed.step.notify) member.owed.add(name)
      for (const { name } of one.placed.step.satisfies) member.owed.delete(name)
    }
    emit({ kind: 'step', play, host: member.name, step: stepInfo(one.placed), ...outcome })
  }
  /** Steps are reported as soon as they and those before them are done, while the trip goes on. */
  const advance = () => {
    for (const one of segment) {
      if (told.has(one)) continue
      if (owned.some((each) => each.steps.includes(one) && !done.has(each))) return
      tell(one)
    }
  }
  const all = [...owned.map((one) => watched(one, () => done.add(one) && advance())), ...reading.scripts]
  const results =
    all.length === 0 ? [] : await member.session.run(all, { stopAtFailure: true, stop: turn.stop })
  const failed = firstFailure(scripts, results)
  const culprit = failed && owned[failed.at]
  const { failure, undone } = await rescued(failed, culprit, member)
  for (const each of segment) {
    if (told.has(each)) continue
    const owner = culprit?.steps.includes(each) ? culprit : undefined
    if (!owner || !failure) {
      tell(each)
      continue
    }
    if (failure.result.skipped && turn.stop.aborted) throw interrupted(member)
    const one = guilty(owner.steps, failure.result)
    const problem = failedStep(member, one.placed, {
      ...failure,
      explain: owner.explain,
      said: owner.said(),
    })
    emit({
      kind: 'step',
      play,
      host: member.name,
      step: stepInfo(one.placed),
      outcome: 'failed',
      problem,
    })
    if (undone) await forgive(one, member)
    throw problem
  }
  if (results.some(({ skipped }) => skipped)) throw interrupted(member)
  return reading.value(results.slice(scripts.length))
}

/** Its script, which says when it has ended well. */
function watched({ script }: Owned, done: () => void): RoutedScript {
  return { ...script, done: ({ code }) => code === 0 && done() }
}

function outcomeOf(
  { difference }: Examined,
  before: readonly string[] | undefined,
): Extract<StepOutcome, { readonly outcome: 'ok' | 'changed' }> {
  if (!difference) return { outcome: 'ok' }
  return { outcome: 'changed', difference, ...(before !== undefined && { before }) }
}

/** What was ended from outside is taken back at once, as nobody knows when the next run will be. */
async function rescued(
  failure: Failure | undefined,
  culprit: Owned | undefined,
  { session }: Member,
): Promise<{ readonly failure: Failure | undefined; readonly undone: boolean }> {
  if (!failure || culprit?.undone === undefined || failure.result.code === culprit.undone || !culprit.rescue)
    return { failure, undone: failure !== undefined && failure.result.code === culprit?.undone }
  const [rescue] = await session.run([culprit.rescue])
  const stderr = Buffer.concat([failure.result.stderr, rescue?.stderr ?? Buffer.alloc(0)])
  return {
    failure: { ...failure, result: { ...failure.result, stderr } },
    undone: rescue?.code === culprit.undone,
  }
}

/** What a step owed for a change that it took back is not due; what others have left stays. */
async function forgive({ placed: { step } }: Examined, { session, owed }: Member): Promise<void> {
  const own = [...step.notify, ...step.satisfies].filter(({ name }) => !owed.has(name))
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
