import { relative } from 'node:path'
import type { Outlined } from '../../engine/foreseen.ts'
import type { StepInfo } from '../../model/event.ts'
import type { Source } from '../../model/source.ts'
import { stepTitle } from '../describe.ts'
import { groupEqual } from '../group-equal.ts'
import type { Paint } from '../problem.ts'
import { formatSource } from '../source-location.ts'
import { table } from '../table.ts'

/** Each play with its steps and where they are written; hosts that get the same are told of once. */
export function stepList(outlined: readonly Outlined[], paint: Paint): readonly string[] {
  const plays = groupEqual(outlined, ({ play }) => play)
  return plays.flatMap((hosts, i) => [
    ...(i === 0 ? [] : ['']),
    paint('bold', hosts[0].play),
    ...groupEqual(hosts, ({ steps }) => JSON.stringify(steps)).flatMap((same) => [
      `  ${paint('cyan', same.map(({ host }) => host).join(', '))}: ${count(same[0].steps.length)}`,
      ...table(same[0].steps.map(row), (cell, _row, column) =>
        column === 0 ? cell : paint('dim', cell),
      ).map((line) => `    ${line}`),
    ]),
  ])
}

function row(step: StepInfo): readonly string[] {
  return [stepTitle(step), step.roles.join(' › '), step.source ? relativeSource(step.source) : '']
}

/** As seen from where the command was given. */
export function relativeSource(source: Source): string {
  const place = formatSource(source)
  const near = relative(process.cwd(), place)
  return near.startsWith('..') ? place : near
}

function count(steps: number): string {
  return `${steps} step${steps === 1 ? '' : 's'}`
}
