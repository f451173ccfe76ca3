import { table } from '../../bench/clock.ts'
import { elapsed } from '../../src/shell/duration.ts'
import type { Result } from '../support/results.ts'
import type { Compared } from './compare.ts'
import { type Done, failedOf } from './done.ts'

export interface Night {
  readonly done: readonly Done[]
  readonly figures: readonly Compared[]
  /** The outcomes of the previous night, by part and name; undefined if there was none. */
  readonly before: ReadonlyMap<string, Result['outcome']> | undefined
}

export const keyOf = (part: string, { suite, name }: Pick<Result, 'suite' | 'name'>) => `${part}: ${suite}: ${name}`

/** Returns all failures, one line each, the new ones first. */
export function wrong({ done, figures, before }: Night): readonly string[] {
  const failed = done.flatMap((one) => failedOf(one).map((result) => ({ key: keyOf(one.part, result), result })))
  const isNew = (key: string) => before?.get(key) === 'passed'
  const lines = failed.map(({ key, result }) => ({
    key,
    line: `${isNew(key) ? 'regressed: ' : ''}${key}: ${(result.said ?? '').split('\n')[0]}`,
  }))
  return [
    ...lines.filter(({ key }) => isNew(key)).map(({ line }) => line),
    ...figures.filter(({ worse }) => worse).map((one) => `regressed: ${one.figure.name}: ${inWords(one)}`),
    ...lines.filter(({ key }) => !isNew(key)).map(({ line }) => line),
  ]
}

/** Returns the nightly run on one page, in Markdown. */
export function summary(night: Night): string {
  const { done, figures } = night
  const bad = wrong(night)
  const count = (results: readonly Result[], wanted: Result['outcome']) =>
    String(results.filter(({ outcome }) => outcome === wanted).length)
  return `${[
    `# ${bad.length === 0 ? 'A good night' : `${bad.length} ${bad.length === 1 ? 'thing' : 'things'} to look at`}`,
    bad.map((line) => `- ${line}`).join('\n'),
    table(
      ['part', 'passed', 'failed', 'left out', 'took', 'sources', 'ended'],
      done.map(({ part, results, seconds, commit, ended }) => [
        part === 'night' ? part : `[${part}](${part}/output.log)`,
        ...[count(results, 'passed'), count(results, 'failed'), count(results, 'left out')],
        ...[elapsed(seconds * 1000), commit, ended],
      ]),
    ),
    measured(done),
    figures.length > 0 &&
      table(
        ['figure', 'unit', 'this night', 'the night before', 'ratio'],
        figures.map(({ figure, before, ratio, worse }) => [
          ...[figure.name, figure.unit, spread(figure), before ? spread(before) : ''],
          ratio === undefined ? '' : `${ratio.toFixed(2)}${worse ? ' **worse**' : ''}`,
        ]),
      ),
  ]
    .filter(Boolean)
    .join('\n\n')}\n`
}

/** Returns a table of the measured values of the proof and the soak test. */
function measured(done: readonly Done[]): string {
  const rows = done.flatMap(({ part, results }) =>
    results
      .filter(({ said, outcome }) => said !== undefined && outcome === 'passed')
      .map(({ name, said = '' }) => [part, name, said.replaceAll('\n', '; ').replaceAll('|', '\\|')]),
  )
  return rows.length > 0 ? table(['part', 'what', 'measured'], rows) : ''
}

function inWords({ figure, before, ratio }: Compared): string {
  return `${spread(figure)} ${figure.unit}, and ${before ? spread(before) : 'nothing'} the night before: × ${ratio?.toFixed(2)}`
}

function spread({ median, least, most, runs }: Compared['figure']): string {
  const short = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(1))
  return runs === 1 ? short(median) : `${short(median)} (${short(least)}–${short(most)}, ${runs})`
}
