import { type Problem, wrapErrors } from '../../model/problem.ts'
import type { RunContext } from '../context.ts'
import { toProblem } from '../hosts/scripts.ts'
import type { PlayRun } from '../read/refresh.ts'
import { failedHosts, fatalReason } from './failure-budget.ts'

/** Halts the run if a host of the gate has failed or is not reachable, or if a condition returns a Problem. */
export async function passGate(playRun: PlayRun, context: RunContext): Promise<void> {
  const { play, hosts } = playRun
  const { emit, hostRuns } = context
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const healthy = hosts.flatMap(({ name }) => hostRuns.get(name) ?? []).filter(({ problem }) => !problem)
  const [hostRun] = healthy
  const problem = hostRun && !context.stop.aborted ? await firstProblem(playRun, context) : undefined
  if (hostRun && problem) {
    // One host reports it for all of them.
    hostRun.fail(problem)
    emit({ kind: 'failed', play: play.label, host: hostRun.name, problem })
  }
  context.halted ??= fatalReason(play, failedHosts(hosts, play, context))
}

async function firstProblem({ play }: PlayRun, { hosts }: RunContext): Promise<Problem | undefined> {
  const { conditions = [] } = play
  const asks = conditions.flatMap((one) => one.asks)
  for (const { host } of asks) if (hosts.versionOf(host.name) > 0) hosts.answers.forget(host.name)
  await hosts.ask(asks)
  try {
    return wrapErrors(`gate "${play.label}"`, play.source, () => {
      for (const condition of conditions) {
        const problem = condition.value((one) => hosts.answers.get(one))
        if (problem) return problem
      }
      return undefined
    })
  } catch (error) {
    return toProblem(error, play.label)
  }
}
