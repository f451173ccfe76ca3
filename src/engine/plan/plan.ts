import type { StepOutcome } from '../../model/event.ts'
import type { Host } from '../../model/inventory/host.ts'
import { stepInfo } from '../../model/playbook/expand.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Problem } from '../../model/problem.ts'
import { Unreachable } from '../../transport/errors.ts'
import { handlerGroups } from '../apply/due-handlers.ts'
import { fetchTexts } from '../apply/steps.ts'
import type { RunContext } from '../context.ts'
import type { HostRun } from '../hosts/host-run.ts'
import { toProblem } from '../hosts/scripts.ts'
import type { PlayRun } from '../read/refresh.ts'
import { drainHosts } from '../rollout/drain.ts'
import {
  eachPlay,
  failedHosts,
  fatalReason,
  paceOf,
  skipReason,
  startedHosts,
  wouldChange,
} from '../rollout/failure-budget.ts'
import { passGate } from '../rollout/gate.ts'
import { PlannedChanges, type PlannedStep } from './planned-changes.ts'

/** Emits what all plays would do, without a change. */
export async function planPlays(playRuns: readonly PlayRun[], context: RunContext): Promise<void> {
  const changes = new PlannedChanges()
  await eachPlay(playRuns, context, (playRun) =>
    playRun.play.conditions ? passGate(playRun, context) : planPlay(playRun, context, changes),
  )
}

async function planPlay(playRun: PlayRun, context: RunContext, changes: PlannedChanges): Promise<void> {
  const { play, hosts } = playRun
  const { hostRuns, states, emit } = context
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const failedAmong = (some: readonly Host[]) => failedHosts(some, play, context)
  const pace = paceOf(playRun, context)
  const started = startedHosts({ ...play, ...pace, hosts }, failedAmong)
  const isAmongStarted = new Set(started)
  context.halted ??= fatalReason(play, failedAmong(started))
  const skipped: string[] = []
  const turns: { readonly hostRun: HostRun; readonly steps: readonly PlannedStep[] }[] = []
  for (const host of hosts) {
    const hostRun = hostRuns.get(host.name)
    const state = states.get(host.name)?.find((one) => one.play === play)
    if (!hostRun || hostRun.problem || !state) continue
    const isStarted = isAmongStarted.has(host)
    const isHalted = context.halted !== undefined && !isStarted
    if (isHalted || ((hostRun.isSkipped || !isStarted) && wouldChange(state, hostRun))) {
      if (!isStarted) skipped.push(host.name)
      hostRun.skip()
      continue
    }
    turns.push({ hostRun, steps: changes.plan(host.name, state, hostRun.pendingHandlers) })
  }
  const texts = await Promise.all(turns.map((turn) => fetchBefore(turn, context)))
  const planned = turns.map(({ hostRun, steps }, i) => {
    const handlers = planTurn({ hostRun, steps, texts: texts[i] }, { ...play, ...pace }, context)
    return { host: hostRun.name, steps, handlers }
  })
  if (skipped.length > 0) {
    const why = context.halted ?? skipReason(failedAmong(started), context)
    emit({ kind: 'skipped', play: play.label, hosts: skipped, why })
  }
  for (const { host, steps, handlers } of planned) changes.add(host, steps, handlers)
}

interface PlannedTurn {
  readonly hostRun: HostRun
  readonly steps: readonly PlannedStep[]
}

type Texts = Awaited<ReturnType<typeof fetchTexts>>

/** Reads the texts that would change, for diffs. */
async function fetchBefore(
  { hostRun, steps }: PlannedTurn,
  { diff, hosts }: RunContext,
): Promise<Texts | Problem | undefined> {
  if (!diff) return undefined
  const shown = steps.filter(({ difference }) => difference?.texts)
  if (shown.length === 0) return new Map()
  return hosts
    .task(hostRun.host, () => fetchTexts(shown, hostRun))
    .catch((error: unknown) => toProblem(error, hostRun.name))
}

/** Returns the number of handlers that would run. */
function planTurn(
  { hostRun, steps, texts }: PlannedTurn & { readonly texts: Texts | Problem | undefined },
  play: Play,
  { emit, hosts }: RunContext,
): number {
  const { host, name, pendingHandlers } = hostRun
  const about = { play: play.label, host: name }
  const differing = steps.filter(({ difference }) => difference)
  if (texts instanceof Error) {
    hostRun.fail(texts)
    if (texts instanceof Unreachable) hosts.markUnreachable(name, texts)
    else emit({ kind: 'failed', ...about, problem: texts })
    emit({ kind: 'turnEnd', ...about, changed: 0, failed: true })
    return 0
  }
  emit({ kind: 'turn', ...about, steps: steps.length })
  const groups = handlerGroups(steps, pendingHandlers)
  const handlers = groups.reduce((sum, { due }) => sum + due.length, 0)
  if (play.drain && differing.length + handlers > 0) {
    const on = drainHosts(play.drain, host).map((one) => one.name)
    emit({ kind: 'drain', ...about, label: play.drain.label, outcome: 'planned', pending: false, on })
  }
  for (const { steps: own, due } of groups) {
    for (const step of own)
      emit({ kind: 'step', ...about, step: stepInfo(step.expanded), ...outcomeOf(step, texts?.get(step)) })
    for (const { handler, pending } of due)
      emit({ kind: 'handler', ...about, name: handler.name, pending, outcome: 'planned' })
  }
  emit({ kind: 'turnEnd', ...about, changed: differing.length, failed: false })
  return handlers
}

function outcomeOf(
  { difference, known, problem, expanded }: PlannedStep,
  before: readonly string[] | undefined,
): StepOutcome {
  const { allowedFailure: reason } = expanded.step
  if (problem && known && reason !== undefined) return { outcome: 'allowed', problem, reason }
  if (!difference) return { outcome: known ? 'ok' : 'deferred' }
  return { outcome: 'planned', known, difference, ...(before !== undefined && { before }) }
}
