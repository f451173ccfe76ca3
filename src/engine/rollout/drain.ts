import type { RunEvent } from '../../model/event.ts'
import { type OpenDrain, openDrain, recordDrain, undrain, undrainCommand } from '../../model/host-state.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Drain, HostCommand } from '../../model/playbook/drain.ts'
import { Problem } from '../../model/problem.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import type { Result, Script } from '../../transport/session/session.ts'
import { evidence, firstFailure } from '../errors/step-errors.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { Hosts } from '../hosts/hosts.ts'
import { toProblem } from '../hosts/scripts.ts'

/** The end of a host's turn. */
type TurnEnd = 'succeeded' | 'failed' | 'lost'

interface HostDrainOptions {
  readonly drain: Drain
  readonly host: Host
  readonly play: string
  readonly hosts: Hosts
  readonly emit: (event: RunEvent) => void
}

/** The drain of one host for its turn in one play. Other hosts run its commands, such as the load balancers. */
export class HostDrain {
  readonly #options: HostDrainOptions
  readonly #record: OpenDrain
  #isStarted = false
  /** True if no host had anything to do: then no events are emitted. */
  #isEmpty = false

  constructor(options: HostDrainOptions) {
    this.#options = options
    this.#record = openDrain(options.host.name, options.drain.label)
  }

  /** Drains the host, unless that was done before. @throws Problem if a command fails, after the host was undrained */
  async start(): Promise<void> {
    if (this.#isStarted) return
    const { drain, host, emit, play } = this.#options
    const { label, nothingToDo } = drain
    const undrainCommands = byHost(drain.undrain(host))
    const commands = byHost(drain.drain(host))
    const { reachable, missing } = await this.#connect(new Map([...undrainCommands, ...commands]))
    if (missing.length > 0)
      throw new Problem(`${host.name} cannot be drained (${label}): ${missing.join(', ')} cannot be reached`, {
        next: `Make ${missing.join(', ')} reachable or remove it from the inventory, then run the same command again.`,
      })
    this.#isStarted = true
    const on = reachable.map(({ name }) => name)
    const about = { play, host: host.name } as const
    const slow = setTimeout(
      () => emit({ kind: 'waiting', ...about, for: `drain: ${label} on ${on.join(', ')}` }),
      NOTICE,
    )
    const done = await this.#everywhere(reachable, ({ name }) => {
      const undrainScripts = undrainCommands.get(name)?.scripts
      return [
        ...(undrainScripts ? [{ script: recordDrain(this.#record, undrainScripts) }] : []),
        ...(commands.get(name)?.scripts ?? []).map((script) => drainScript(orNothing(script, nothingToDo))),
      ]
    }).finally(() => clearTimeout(slow))
    for (const hostRun of reachable) if (undrainCommands.has(hostRun.name)) hostRun.drainOpened(this.#record)
    const failures = done.flatMap(({ failure }) => failure ?? [])
    if (failures.length > 0) {
      await this.end('failed')
      throw new Problem(`${host.name} could not be drained (${label}), so nothing was changed on it`, {
        details: failures.flatMap(({ lines }) => lines),
        next: 'Fix the cause, then run the same command again.',
      })
    }
    this.#isEmpty =
      nothingToDo !== undefined &&
      done.length > 0 &&
      done.every(({ name, results }) => results.slice(undrainCommands.has(name) ? 1 : 0).every(isNothing))
    if (!this.#isEmpty) emit({ kind: 'drain', ...about, label, outcome: 'drained', pending: false, on })
  }

  /** Undrains the host, and waits until it is ready after a turn that succeeded. @throws Problem if that fails after such a turn */
  async end(turn: TurnEnd): Promise<void> {
    if (!this.#isStarted) return
    this.#isStarted = false
    const { drain, host, emit, play } = this.#options
    const { label } = drain
    const about = { kind: 'drain', play, host: host.name, label, pending: false } as const
    const { reachable, missing } = await this.#connect(byHost(drain.undrain(host)))
    const byHand = reachable.map(({ name }) => `on ${name}: ${undrainCommand(this.#record)}`)
    if (turn === 'lost') {
      const problem = new Problem(`${host.name} was lost in its turn and stays drained (${label})`, {
        details: byHand,
        next: 'The next run that reaches it undrains it. The lines above undrain it by hand.',
      })
      emit({ ...about, outcome: 'failed', problem })
      return
    }
    const done = await this.#everywhere(reachable, () => [drainScript(undrain(this.#record))])
    const failures = [
      ...done.flatMap(({ failure }) => failure ?? []),
      ...missing.map((name) => ({
        name,
        lines: [`${name} cannot be reached; on it: ${undrainCommand(this.#record)}`],
      })),
    ]
    for (const hostRun of reachable)
      if (!failures.some(({ name }) => name === hostRun.name)) hostRun.drainClosed(this.#record)
    if (failures.length > 0) {
      const problem = new Problem(`${host.name} stays drained (${label})`, {
        details: [...failures.flatMap(({ lines }) => lines), ...byHand],
        next: 'The next run undrains it first. The last lines above undrain it by hand.',
      })
      emit({ ...about, outcome: 'failed', problem })
      if (turn === 'succeeded') throw problem
      return
    }
    if (!this.#isEmpty) emit({ ...about, outcome: 'undrained' })
    if (turn === 'succeeded' && !this.#isEmpty) await this.#waitUntilReady()
  }

  async #waitUntilReady(): Promise<void> {
    const { drain, host, emit, play } = this.#options
    const commands = byHost(drain.ready(host))
    if (commands.size === 0) return
    const { reachable } = await this.#connect(commands)
    const on = reachable.map(({ name }) => name).join(', ')
    emit({ kind: 'waiting', play, host: host.name, for: `readiness: ${drain.label} on ${on}` })
    const done = await this.#everywhere(reachable, ({ name }) => (commands.get(name)?.scripts ?? []).map(drainScript))
    const failures = done.flatMap(({ failure }) => failure ?? [])
    if (failures.length === 0) return
    throw new Problem(`${host.name} was undrained (${drain.label}), but is not ready`, {
      details: failures.flatMap(({ lines }) => lines),
      next: 'Check the service on the host. The hosts after it were not changed.',
    })
  }

  async #connect(commands: ReadonlyMap<string, HostCommands>): Promise<Helpers> {
    const { hosts, drain } = this.#options
    const reachable: HostRun[] = []
    const missing: string[] = []
    for (const { host } of commands.values()) {
      const hostRun = await hosts.connect(host)
      if (hostRun && !hosts.unreachable.has(host.name)) reachable.push(hostRun)
      else missing.push(host.name)
    }
    return { reachable, missing: drain.onUnreachable === 'ignore' ? [] : missing }
  }

  /** Runs scripts on all of these hosts in parallel. */
  #everywhere(
    hostRuns: readonly HostRun[],
    scripts: (hostRun: HostRun) => readonly Script[],
  ): Promise<readonly CommandResults[]> {
    const { hosts } = this.#options
    return Promise.all(hostRuns.map((hostRun) => runCommands(hostRun, scripts(hostRun), hosts)))
  }
}

interface Helpers {
  readonly reachable: readonly HostRun[]
  readonly missing: readonly string[]
}

/**
 * Undrains the hosts that an earlier run, or this one, has left drained. A host that is not reachable stays drained: its state is not
 * known.
 *
 * @param last true at the end of the run, when a failure is reported
 */
export async function closeOpenDrains(
  hostRuns: readonly HostRun[],
  { hosts, emit }: Pick<HostDrainOptions, 'hosts' | 'emit'>,
  { last }: { readonly last: boolean },
): Promise<void> {
  const close = async (one: OpenDrain, hostRun: HostRun) => {
    const { host, label, pending } = one
    const about = { kind: 'drain', play: '', host, label, pending } as const
    if (hosts.unreachable.has(hostRun.name)) return
    const isLost = hosts.unreachable.has(host)
    const failure = isLost ? undefined : (await runCommands(hostRun, [drainScript(undrain(one))], hosts)).failure
    if (!isLost && !failure) {
      hostRun.drainClosed(one)
      emit({ ...about, outcome: 'undrained' })
    } else if (last && pending) {
      // A drain of this run was reported when it could not be undone.
      const problem = new Problem(`${host} stays drained (${label}) since an earlier run`, {
        details: [...(failure?.lines ?? [`${host} cannot be reached`]), `on ${hostRun.name}: ${undrainCommand(one)}`],
        next: 'The next run that reaches it tries again. The last line above undrains it by hand.',
      })
      if (failure) hostRun.fail(problem)
      emit({ ...about, outcome: 'failed', problem })
    }
  }
  await Promise.all(
    hostRuns.map(async (hostRun) => {
      for (const one of hostRun.openDrains) await close(one, hostRun)
    }),
  )
}

/** The hosts that run the commands of a drain. */
export function drainHosts(drain: Drain, host: Host): readonly Host[] {
  return [...byHost([...drain.undrain(host), ...drain.drain(host)]).values()].map((one) => one.host)
}

interface HostCommands {
  readonly host: Host
  readonly scripts: readonly Shell[]
}

function byHost(commands: readonly HostCommand[]): ReadonlyMap<string, HostCommands> {
  const grouped = new Map<string, HostCommands>()
  for (const { host, script } of commands)
    grouped.set(host.name, { host, scripts: [...(grouped.get(host.name)?.scripts ?? []), script] })
  return grouped
}

interface CommandResults {
  readonly name: string
  readonly results: readonly Result[]
  readonly failure: { readonly name: string; readonly lines: readonly string[] } | undefined
}

/** Runs commands in order, in one round trip. Never rejects. */
async function runCommands(
  { name, session }: HostRun,
  scripts: readonly Script[],
  hosts: Hosts,
): Promise<CommandResults> {
  try {
    const results = await session.run(scripts, { stopAtFailure: true })
    const failed = firstFailure(scripts, results)
    if (!failed) return { name, results, failure: undefined }
    const how = failed.result.timedOut ? 'took too long' : `ended with status ${failed.result.code}`
    const lines = [`on ${name}, a command ${how}:`, ...evidence(failed.script, failed.result)]
    return { name, results, failure: { name, lines } }
  } catch (error) {
    const problem = toProblem(error, name)
    hosts.markUnreachable(name, problem)
    return { name, results: [], failure: { name, lines: [problem.message] } }
  }
}

function drainScript(script: Shell): Script {
  return { script, mode: 'isolated', timeout: COMMAND_TIMEOUT }
}

/** Milliseconds. */
const COMMAND_TIMEOUT = 120_000

/** Milliseconds after which a slow drain is reported. */
const NOTICE = 500

const NOTHING = 'there was nothing to do'

function orNothing(script: Shell, status: number | undefined): Shell {
  if (status === undefined) return script
  return sh`( ${script}
) || { _s=$?; [ $_s -eq ${status} ] || exit $_s; echo ${NOTHING}; }`
}

function isNothing({ stdout }: Result): boolean {
  return stdout.toString().trimEnd().endsWith(NOTHING)
}
