import { Command } from 'commander'
import { Hosts } from '../../engine/hosts/hosts.ts'
import type { OpenSession } from '../../engine/hosts/scripts.ts'
import { type Logins, loginsSince } from '../../engine/read/logins.ts'
import type { RunEvent, Summary } from '../../model/event.ts'
import type { HookChange } from '../../model/hook.ts'
import type { Host } from '../../model/inventory/host.ts'
import { Problem } from '../../model/problem.ts'
import { stepTitle } from '../../report/format.ts'
import { type Drift, driftHistory, LeftStates } from '../../report/journal/drift.ts'
import { type RecordedRun, recordedRun } from '../../report/journal/history.ts'
import { journalWriter } from '../../report/journal/journal.ts'
import { paintFor } from '../../report/problem.ts'
import { jsonLine } from '../../report/reporter.ts'
import {
  driftLines,
  driftObjects,
  type HostDrift,
  type HostLogins,
  historyLines,
  historyObjects,
} from '../../report/tables/drift.ts'
import { EXIT, exitCodeOfRun } from '../exit.ts'
import type { Installation } from '../load/paths.ts'
import {
  type OutputFlags,
  type ReachFlags,
  type SelectFlags,
  withOutputOption,
  withPlaybook,
  withReachOptions,
  withSelectOptions,
} from '../options.ts'
import { splitPlaybookArgs } from '../playbook-flags.ts'
import { printLines } from '../print.ts'
import { commandLine, runPlaybook } from '../run.ts'
import { recordedRuns } from '../state/journal.ts'
import { openSessions } from '../target.ts'

interface DriftFlags extends ReachFlags, SelectFlags, OutputFlags {
  readonly history: boolean
  readonly journal: boolean
}

/** `provision drift`: a dry run, compared with the states in which the recorded runs have left the hosts. */
export function driftCommand(installation: Installation): Command {
  return withOutputOption(withSelectOptions(withReachOptions(withPlaybook(new Command('drift')))))
    .description('show what has changed on hosts since the last run, and who was logged in')
    .option('--history', 'list the drift that recorded runs have found, without connecting to hosts', false)
    .option('--no-journal', 'do not record the result in .provision/drift')
    .addHelpText('after', EXAMPLES)
    .action(async (_playbook: string, flags: DriftFlags, command: Command) => {
      process.exitCode = flags.history ? showHistory(flags) : await drift(flags, command, installation)
    })
}

const EXAMPLES = `
Examples:
  provision drift --inventory inventory/prod.ts
  provision drift --limit web --output json
  provision drift --history

Changes nothing. Compares with the runs that are recorded in .provision/runs. Exit status 2: a run would change something.`

function showHistory({ output }: OutputFlags): number {
  const episodes = driftHistory(byTime([...recordedRuns(), ...recordedRuns('drift')]))
  printLines(
    output === 'json' ? historyObjects(episodes).map(jsonLine) : historyLines(episodes, paintFor(process.stdout)),
  )
  return EXIT.ok
}

/** The latest first. */
function byTime(runs: readonly RecordedRun[]): readonly RecordedRun[] {
  return runs.toSorted((a, b) => (a.about.id < b.about.id ? 1 : -1))
}

async function drift(given: DriftFlags, command: Command, installation: Installation): Promise<number> {
  const { name: playbook = 'site', rest: args } = splitPlaybookArgs(command.args)
  const flags = { ...given, check: true, step: false, diff: false, verbose: 0 }
  const began = Date.now()
  const runs = recordedRuns()
  const reports = recordedRuns('drift')
  const open = await openSessions(flags)
  const dryRun = new DryRun(began)
  const reporter = { emit: dryRun.emit, done: async () => {} }
  const request = { ...{ playbook, args, flags, command, installation }, prepare: 'call' as const }
  const { summary, inventory, hooks } = await runPlaybook({ ...request, reporter, open, record: 'drift' })
  const left = new LeftStates()
  for (const run of runs.toReversed()) left.add(run)
  const found = hostDrifts(summary, left.driftsIn(dryRun.recorded()), dryRun.unknown)
  const hosts = await withLogins(found, { hosts: inventory.hosts, open, runs: [...runs, ...reports], began })
  printLines(given.output === 'json' ? driftObjects(hosts).map(jsonLine) : driftLines(hosts, paintFor(process.stdout)))
  const drifts = hosts.flatMap((one) => one.drifts)
  if (drifts.length > 0) await hooks?.drifted(summary, drifts.map(hookChange))
  // Policies are about runs that change something.
  return exitCodeOfRun({ ...summary, refused: false })
}

/** Records a dry run in memory. */
class DryRun {
  /** The reasons why hosts could not be read. */
  readonly unknown = new Map<string, Problem | string>()
  readonly #lines: string[] = []
  readonly #write: (event: RunEvent) => void

  constructor(began: number) {
    const header = { id: 'this', at: new Date(began).toISOString(), command: commandLine(), hosts: [] }
    this.#write = journalWriter(header, (line) => this.#lines.push(line))
  }

  readonly emit = (event: RunEvent): void => {
    this.#write(event)
    if (event.kind === 'unreachable' || event.kind === 'failed') this.unknown.set(event.host, event.problem)
    if (event.kind === 'skipped')
      for (const host of event.hosts) if (!this.unknown.has(host)) this.unknown.set(host, event.why)
  }

  recorded(): RecordedRun {
    return recordedRun(`${this.#lines.join('\n')}\n`)
  }
}

function hookChange({ host, play, step, action, fields, cause }: Drift): HookChange {
  return {
    ...{ host, play, step: stepTitle(step), roles: step.roles, action, cause },
    fields: fields.map(({ name, now, declared }) => ({ name, to: declared, ...(now !== undefined && { from: now }) })),
  }
}

function hostDrifts(
  { hosts }: Summary,
  drifts: readonly Drift[],
  unknown: ReadonlyMap<string, Problem | string>,
): readonly HostDrift[] {
  return hosts.map(({ host, excluded, unreachable }) => {
    const why = unknown.get(host) ?? excluded ?? (unreachable ? 'it is not reachable' : undefined)
    return { host, drifts: drifts.filter((one) => one.host === host), ...(why !== undefined && { unknown: why }) }
  })
}

interface LoginTools {
  readonly hosts: readonly Host[]
  readonly open: OpenSession
  readonly runs: readonly RecordedRun[]
  /** The start of the command, in milliseconds since 1970. */
  readonly began: number
}

/** Asks the hosts that have changed for the logins since the last run. */
async function withLogins(all: readonly HostDrift[], tools: LoginTools): Promise<readonly HostDrift[]> {
  const hosts = new Hosts(tools.open, () => {})
  try {
    return await Promise.all(
      all.map(async (one) => {
        const host = tools.hosts.find(({ name }) => name === one.host)
        const moved = one.drifts.filter(({ cause }) => cause === 'host' || cause === 'both' || cause === 'unknown')
        if (!host || moved.length === 0) return one
        // The name of a delegated step ends with its host.
        const own = moved.filter(({ step }) => !tools.hosts.some(({ name }) => step.name.endsWith(` on ${name}`)))
        if (own.length === 0) return { ...one, logins: 'the steps act on other hosts' }
        const times = own.flatMap(({ last }) => last?.ended ?? [])
        if (times.length === 0) return { ...one, logins: 'no run of this host is recorded' }
        return { ...one, logins: await loginsOf(host, Math.min(...times), hosts, tools) }
      }),
    )
  } finally {
    await hosts.close()
  }
}

async function loginsOf(
  host: Host,
  since: number,
  hosts: Hosts,
  { runs, began }: LoginTools,
): Promise<HostLogins | string> {
  const question = loginsSince((Date.now() - since) / 1_000)
  try {
    await hosts.ask([{ host, question }])
    // The answer has the type that the read of the question returns.
    const answer = hosts.answers.get({ host, question }) as Logins | undefined
    const asked = Date.now()
    if (!answer) return hosts.unreachable.get(host.name)?.message ?? 'the host did not answer'
    // By the clock of this machine.
    const ahead = answer.now - asked
    const shifted = answer.logins.map((one) => ({ ...one, time: one.time - ahead }))
    const logins = shifted.filter(({ time }) => time >= since - TOLERANCE)
    const runOf = (time: number) =>
      time >= began
        ? 'this command'
        : runs.find(({ about, ended }) => time >= Date.parse(about.at) && time <= ended)?.about.id
    return {
      ...answer,
      ...(answer.completeFrom !== undefined && { completeFrom: answer.completeFrom - ahead }),
      ...{ since, logins, runs: logins.map(({ time }) => runOf(time)) },
    }
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
}

/** The time in which the clock of a host reaches this machine, in milliseconds. */
const TOLERANCE = 2_000
