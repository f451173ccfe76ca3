import type { RunEvent } from '../../model/event.ts'
import { type OpenDrain, recordDrain, undrain, undrainCommand } from '../../model/host-state.ts'
import type { Host } from '../../model/inventory/host.ts'
import type { Drain, HostCommand } from '../../model/playbook/drain.ts'
import { Problem } from '../../model/problem.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import type { Result, Script } from '../../transport/session/session.ts'
import type { RunContext } from '../context.ts'
import { evidence, type Failure, firstFailure } from '../errors/step-errors.ts'
import type { HostRun } from '../hosts/host-run.ts'
import type { Hosts } from '../hosts/hosts.ts'
import { toProblem } from '../hosts/scripts.ts'

/** How a host's turn ended. */
export type TurnEnd = 'well' | 'failed' | 'lost'

export interface HostDrainOptions {
  readonly drain: Drain
  readonly host: Host
  readonly play: string
  readonly fleet: Hosts
  readonly emit: (event: RunEvent) => void
}

/** The bracket drain one host's changes in one play. */
export class HostDrain {
  readonly #parts: HostDrainOptions
  readonly #one: OpenDrain
  #isOpen = false
  /** Nobody had anything to do for it, so that nothing is told of it either, unless it goes wrong. */
  #isIdle = false

  constructor(parts: HostDrainOptions) {
    this.#parts = parts
    this.#one = { host: parts.host.name, label: parts.drain.label }
  }

  /** Opens it, unless it is open. @throws Problem when it could not be opened everywhere; then it was closed again */
  async drain(): Promise<void> {
    if (this.#isOpen) return
    const { drain, host, emit, play } = this.#parts
    const { label } = drain
    const ways = byHost(drain.undrain(host))
    const enter = byHost(drain.drain(host))
    const { there, missing } = await this.#reach(new Map([...ways, ...enter]))
    if (missing.length > 0)
      throw new Problem(`${host.name} cannot be made ${label}: ${missing.join(', ')} cannot be reached`, {
        next: `Bring ${missing.join(', ')} back or take it out of the inventory, then run the same command again.`,
      })
    this.#isOpen = true
    const names = there.map(({ name }) => name)
    const about = { play, host: host.name } as const
    const slow = setTimeout(
      () => emit({ kind: 'waiting', ...about, for: `${names.join(', ')}: ${label}` }),
      TOLD_AFTER,
    )
    const done = await this.#everywhere(there, ({ name }) => [
      ...(ways.has(name) ? [{ script: recordDrain(this.#one, ways.get(name)?.scripts ?? []) }] : []),
      ...(enter.get(name)?.scripts ?? []).map((script) => drainScript(orIdle(script, drain.nothingToDo))),
    ]).finally(() => clearTimeout(slow))
    for (const member of there) if (ways.has(member.name)) member.undos.set(drainKey(this.#one), this.#one)
    const troubles = done.flatMap(({ trouble }) => trouble ?? [])
    if (troubles.length > 0) {
      await this.undrain('failed')
      throw new Problem(`${host.name} could not be made ${label}, so nothing was changed on it`, {
        details: troubles.flatMap(({ lines }) => lines),
        next: 'Mend what kept it, then run the same command again.',
      })
    }
    this.#isIdle =
      drain.nothingToDo !== undefined &&
      done.length > 0 &&
      done.every(({ results }, i) => isIdle(results.slice(ways.has(there[i]?.name ?? '') ? 1 : 0)))
    if (!this.#isIdle)
      emit({ kind: 'drain', ...about, label, outcome: 'drained', leftover: false, on: names })
  }

  /** @throws Problem after a turn that went well and a way back that did not */
  async undrain(turn: TurnEnd): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { drain, host, emit, play } = this.#parts
    const { label } = drain
    const about = { kind: 'drain', play, host: host.name, label, leftover: false } as const
    const { there, missing } = await this.#reach(byHost(drain.undrain(host)))
    const byHand = there.map(({ name }) => `on ${name}: ${undrainCommand(this.#one)}`)
    if (turn === 'lost') {
      const problem = new Problem(`${host.name} was lost in its turn and stays ${label}`, {
        details: byHand,
        next: 'The next run that finds it takes it back; the lines above do so by hand.',
      })
      emit({ ...about, outcome: 'failed', problem })
      return
    }
    const failures = [
      ...(await this.#everywhere(there, () => [drainScript(undrain(this.#one))])).flatMap(
        ({ trouble }) => trouble ?? [],
      ),
      ...missing.map((name) => ({
        name,
        lines: [`${name} cannot be reached; on it: ${undrainCommand(this.#one)}`],
      })),
    ]
    for (const member of there)
      if (!failures.some(({ name }) => name === member.name)) member.undos.delete(drainKey(this.#one))
    if (failures.length > 0) {
      const problem = new Problem(`${host.name} stays ${label}`, {
        details: [...failures.flatMap(({ lines }) => lines), ...byHand],
        next: 'The next run takes it back first; the last lines above do so by hand.',
      })
      emit({ ...about, outcome: 'failed', problem })
      if (turn === 'well') throw problem
      return
    }
    if (!this.#isIdle) emit({ ...about, outcome: 'undrained' })
    if (turn === 'well' && !this.#isIdle) await this.#settle()
  }

  async #settle(): Promise<void> {
    const { drain, host, emit, play } = this.#parts
    const wanted = byHost(drain.ready(host))
    if (wanted.size === 0) return
    const { there } = await this.#reach(wanted)
    const who = there.map(({ name }) => name).join(', ')
    emit({ kind: 'waiting', play, host: host.name, for: `${who}: back, no longer ${drain.label}` })
    const done = await this.#everywhere(there, ({ name }) =>
      (wanted.get(name)?.scripts ?? []).map(drainScript),
    )
    const failures = done.flatMap(({ trouble }) => trouble ?? [])
    if (failures.length === 0) return
    throw new Problem(`${host.name} is no longer ${drain.label}, but is not back in service either`, {
      details: failures.flatMap(({ lines }) => lines),
      next: 'Look at the service on the host; hosts after it were left alone.',
    })
  }

  async #reach(hosts: ReadonlyMap<string, { readonly host: Host }>): Promise<Reached> {
    const { fleet } = this.#parts
    const there: HostRun[] = []
    const missing: string[] = []
    for (const { host } of hosts.values()) {
      const member = await fleet.connect(host, 'change')
      if (member && !fleet.unreachable.has(host.name)) there.push(member)
      else missing.push(host.name)
    }
    return { there, missing: this.#parts.drain.onUnreachable === 'ignore' ? [] : missing }
  }

  /** Does something on all of them side by side. */
  #everywhere(
    members: readonly HostRun[],
    scripts: (member: HostRun) => readonly Script[],
  ): Promise<readonly CommandResults[]> {
    return Promise.all(members.map((member) => runDrainCommands(member, scripts(member), this.#parts.fleet)))
  }
}

/** Milliseconds after which it is told that others are waited for. */
const TOLD_AFTER = 500

const IDLE = 'there was nothing to do'

function orIdle(script: Shell, status: number | undefined): Shell {
  if (status === undefined) return script
  return sh`( ${script}
) || { _s=$?; [ $_s -eq ${status} ] || exit $_s; echo ${IDLE}; }`
}

/** @param done of what was to be done, without the note */
function isIdle(done: readonly Result[]): boolean {
  return done.every(({ stdout }) => stdout.toString().trimEnd().endsWith(IDLE))
}

interface Reached {
  readonly there: readonly HostRun[]
  readonly missing: readonly string[]
}

/** The hosts on which a play's bracket acts. */
export function drainHosts(drain: Drain, host: Host): readonly Host[] {
  return [...byHost([...drain.undrain(host), ...drain.drain(host)]).values()].map((one) => one.host)
}

export function drainKey({ host, label }: OpenDrain): string {
  return `${host}: ${label}`
}

/** How long one errand may take: they wait for nobody without a bound of their own. */
const COMMAND_TIMEOUT = 120_000

/** What went wrong on one host. */
export interface CommandFailure {
  readonly name: string
  readonly lines: readonly string[]
}

export interface CommandResults {
  readonly results: readonly Result[]
  /** What went wrong; undefined when all went well. */
  readonly trouble: CommandFailure | undefined
}

/** Does them in their order, in one round trip. Never rejects. */
export async function runDrainCommands(
  { name, session }: HostRun,
  scripts: readonly Script[],
  fleet: Hosts,
): Promise<CommandResults> {
  try {
    const results = await session.run(scripts, { stopAtFailure: true })
    const failure = firstFailure(scripts, results)
    return { results, trouble: failure && { name, lines: said(name, failure) } }
  } catch (error) {
    const problem = toProblem(error, name)
    fleet.markUnreachable(name, problem)
    return { results: [], trouble: { name, lines: [problem.message] } }
  }
}

function said(name: string, { script, result }: Failure): readonly string[] {
  const how = result.timedOut ? 'took too long' : `ended with status ${result.code}`
  return [`on ${name}, a command ${how}:`, ...evidence(script, result)]
}

export function drainScript(script: Shell): Script {
  return { script, mode: 'isolated', timeout: COMMAND_TIMEOUT }
}

export function byHost(
  all: readonly HostCommand[],
): ReadonlyMap<string, { readonly host: Host; readonly scripts: readonly Shell[] }> {
  const grouped = new Map<string, { readonly host: Host; readonly scripts: readonly Shell[] }>()
  for (const { host, script } of all)
    grouped.set(host.name, { host, scripts: [...(grouped.get(host.name)?.scripts ?? []), script] })
  return grouped
}

/**
 * Closes the brackets that an earlier run has left open on these hosts. One around a host that cannot be reached stays: nobody
 * knows in which state it is.
 *
 * @param last whether this is the last try of the run, so that what fails is a failure of the host
 */
export async function closeOpenDrains(
  members: readonly HostRun[],
  course: RunContext,
  { last }: { readonly last: boolean },
): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      for (const one of [...member.undos.values()]) await closeDrain(one, member, course, last)
    }),
  )
}

async function closeDrain(
  one: OpenDrain,
  member: HostRun,
  { emit, fleet }: RunContext,
  last: boolean,
): Promise<void> {
  const { host, label, earlier = false } = one
  const about = { kind: 'drain', play: '', host, label, leftover: earlier } as const
  const byHand = `on ${member.name}: ${undrainCommand(one)}`
  if (fleet.unreachable.has(member.name)) return
  const lost = fleet.unreachable.has(host)
  const trouble = lost
    ? undefined
    : (await runDrainCommands(member, [drainScript(undrain(one))], fleet)).trouble
  if (!lost && !trouble) {
    member.undos.delete(drainKey(one))
    emit({ ...about, outcome: 'undrained' })
  } else if (last && earlier) {
    // What this run itself could not close was told when it could not.
    const problem = new Problem(`${host} stays ${label}, since an earlier run`, {
      details: [...(trouble?.lines ?? [`${host} cannot be reached`]), byHand],
      next: 'The next run that finds it tries again; the last line above does so by hand.',
    })
    if (trouble) member.problem ??= problem
    emit({ ...about, outcome: 'failed', problem })
  }
}
