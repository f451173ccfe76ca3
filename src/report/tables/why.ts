import type { Declaration, Explanation } from '../../engine/read/why.ts'
import type { StepInfo } from '../../model/event.ts'
import { count, describeDiff, stepTitle } from '../format.ts'
import type { RecordedRun, RecordedStep, StepHistory } from '../journal/history.ts'
import { excerpt, formatSource, type Paint, relativeSource } from '../problem.ts'

/** The steps that set a thing, and the recorded runs that changed them. */
export interface WhyReport extends Explanation {
  readonly name: string
  readonly host: string | undefined
  readonly playbook: string
  /** The history of each declaration, in their order. */
  readonly histories: readonly StepHistory[]
  /** For a thing that no step sets: the last step of this name in the recorded runs. */
  readonly former?: NonNullable<StepHistory['changed']>
  /** The recorded runs, the latest first. */
  readonly runs: readonly RecordedRun[]
}

/** The report as text. */
export function whyLines(report: WhyReport, paint: Paint): readonly string[] {
  const { declarations, notifiers, unknown } = report
  const where = report.host === undefined ? 'any host' : report.host
  const blocks = declarations.map((one, i) => declarationLines(one, report, report.histories[i] ?? {}, paint))
  const none = declarations.length === 0 && notifiers.length === 0
  const notified = notifiers.map(
    ({ handler, step }) => `  ${handler}: ${stepTitle(step)}${rolesOf(step)}${placeOf(step)}`,
  )
  return [
    ...blocks.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines])),
    ...(none ? notManagedLines(report, where, paint) : []),
    ...(notified.length > 0
      ? [
          ...(none || blocks.length > 0 ? [''] : []),
          paint('bold', `Handlers for ${report.name}, and who notifies them:`),
        ]
      : []),
    ...notified,
    ...(unknown.length > 0 ? ['', paint('yellow', 'Not known without a connection:')] : []),
    ...unknown.map((line) => `  ${line}`),
  ]
}

function declarationLines(
  declaration: Declaration,
  { runs }: WhyReport,
  history: StepHistory,
  paint: Paint,
): readonly string[] {
  const { host, turn, play, thing, step, part, tags, notifies, activates, isGuess } = declaration
  const own = part ?? step
  const { source } = own
  const rows: readonly (readonly [string, string])[] = [
    ...(own.roles.length > 0 ? [['role', own.roles.join(' › ')] as const] : []),
    ['step', `${stepTitle(own)}${part && part.name !== step.name ? ` in ${stepTitle(step)}` : ''}`],
    ['code', source ? relativeSource(source) : 'unknown'],
    ['play', `${play}${turn === host ? '' : `, in the turn of ${turn}`}`],
    ...(tags.includes('never') ? [['runs', 'only with --tags: it has the tag never'] as const] : []),
    ...(notifies.length > 0 ? [['notifies', notifies.join(', ')] as const] : []),
    ...(activates.length > 0 ? [['activates', activates.join(', ')] as const] : []),
    ...(isGuess ? [['declared', 'if the answers of hosts are those of new hosts'] as const] : []),
    ...historyRows(declaration, history, runs),
  ]
  const code = source ? excerpt(formatSource(source), paint).map((line) => `              ${line}`) : []
  return [
    `${paint('bold', `${thing.type} ${thing.name}`)} on ${host}`,
    ...rows.flatMap(([name, value]) => [
      `  ${paint('dim', name.padEnd(11))} ${value}`,
      ...(name === 'code' ? code : []),
    ]),
  ]
}

function historyRows(
  declaration: Declaration,
  { changed, ok }: StepHistory,
  runs: readonly RecordedRun[],
): readonly (readonly [string, string])[] {
  const first = runs.at(-1)
  if (!first) return [['last change', 'unknown: no run is recorded in this directory']]
  const none = `unknown: none of the ${count(runs.length, 'recorded run')} since ${minute(Date.parse(first.about.at))} changed it`
  return [
    ['last change', changed ? changeText(changed, declaration) : none],
    ...(ok && ok.run !== changed?.run ? [['found ok', runText(ok.run)] as const] : []),
  ]
}

function changeText({ run, step }: NonNullable<StepHistory['changed']>, { part }: Pick<Declaration, 'part'>): string {
  return `${outcomeText(step, part)}, ${runText(run)}`
}

function outcomeText({ outcome, difference, problem }: RecordedStep, part?: StepInfo): string {
  if (outcome === 'failed') return `failed: ${problem?.message ?? 'for an unknown reason'}`
  if (outcome === 'unfinished') return 'started, and its result is unknown'
  const own =
    difference?.parts?.find(({ name }) => part && name === `${part.kind} ${part.name}`)?.difference ?? difference
  return own ? describeDiff(own) : 'changed'
}

function runText({ about: { id, at, command } }: Pick<RecordedRun, 'about'>): string {
  return `${minute(Date.parse(at))}, run ${id} (${command})`
}

/** `2026-11-30 16:02` in UTC, as in the list of runs. */
export function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function notManagedLines(
  { name, playbook, former, unknown }: WhyReport,
  where: string,
  paint: Paint,
): readonly string[] {
  const certain = unknown.length === 0
  return [
    `${paint('bold', name)} on ${where}: ${certain ? 'not managed' : 'not managed by the steps that are known'}. No step of ${playbook} sets it.`,
    ...(former ? [formerLine(former)] : []),
    ...(name.startsWith('/')
      ? [`  A package may own it: provision exec ${where === 'any host' ? '' : `--limit ${where} `}'dpkg -S ${name}'`]
      : []),
  ]
}

function formerLine({ run, step }: NonNullable<StepHistory['changed']>): string {
  const title = stepTitle(step.step)
  if (step.outcome === 'ok') return `  A run found it as declared: ${title}, ${runText(run)}`
  return `  A run set it earlier: ${title}, ${outcomeText(step)}, ${runText(run)}`
}

function rolesOf({ roles }: StepInfo): string {
  return roles.length > 0 ? ` [${roles.join(' › ')}]` : ''
}

function placeOf({ source }: StepInfo): string {
  return source ? `, ${relativeSource(source)}` : ''
}

/** The report as objects for JSON. */
export function whyObjects({ declarations, notifiers, unknown, histories, ...about }: WhyReport): readonly object[] {
  const { name, host, former, runs } = about
  return [
    ...declarations.map((one, i) => ({
      kind: 'declaration',
      ...one,
      step: withPlace(one.step),
      ...(one.part && { part: withPlace(one.part) }),
      changed: recordOf(histories[i]?.changed),
      ok: recordOf(histories[i]?.ok),
    })),
    ...notifiers.map((one) => ({ kind: 'notifier', ...one, step: withPlace(one.step) })),
    {
      ...{ kind: 'why', name, host: host ?? null },
      managed: declarations.length + notifiers.length > 0 || (unknown.length > 0 ? 'unknown' : false),
      ...{ former: recordOf(former), unknown, recordedRuns: runs.length },
    },
  ]
}

function withPlace({ source, ...rest }: StepInfo): object {
  return { ...rest, ...(source && { source: relativeSource(source) }) }
}

function recordOf(record: StepHistory['changed']): object | null {
  if (!record) return null
  const { run, step } = record
  const { outcome, difference, problem, at } = step
  return { run: run.about, time: new Date(at).toISOString(), outcome, difference, problem }
}
