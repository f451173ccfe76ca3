import type { PlaySteps } from '../../engine/read/without-hosts.ts'
import type { StepInfo } from '../../model/event.ts'
import { count, groupEqual, stepTitle, table } from '../format.ts'
import { type Paint, relativeSource } from '../problem.ts'

/** The steps of each play and where they are written; hosts with equal steps are listed together. */
export function stepList(outlined: readonly PlaySteps[], paint: Paint): readonly string[] {
  const plays = groupEqual(outlined, ({ play }) => play)
  return plays.flatMap((hosts, i) => [
    ...(i === 0 ? [] : ['']),
    paint('bold', hosts[0].play),
    ...groupEqual(hosts, ({ steps }) => JSON.stringify(steps)).flatMap((same) => [
      `  ${paint('cyan', same.map(({ host }) => host).join(', '))}: ${count(same[0].steps.length, 'step')}`,
      ...table(same[0].steps.map(row), (cell, _row, column) => (column === 0 ? cell : paint('dim', cell))).map(
        (line) => `    ${line}`,
      ),
    ]),
  ])
}

function row(step: StepInfo): readonly string[] {
  return [stepTitle(step), step.roles.join(' › '), step.source ? relativeSource(step.source) : '']
}
