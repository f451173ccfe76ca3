import type { Drain } from '../model/around.ts'
import type { RunEvent } from '../model/event.ts'
import type { Host } from '../model/host.ts'
import { Problem } from '../model/problem.ts'
import { type Shell, sh } from '../shell/sh.ts'
import type { Result, Script } from '../transport/session/session.ts'
import { asErrand, byHost, type Errands, errands } from './errands.ts'
import type { Fleet } from './fleet.ts'
import type { Member } from './member.ts'
import { type Bracketed, noted, undo, undoByHand } from './undo.ts'

/** How a host's turn ended. */
export type TurnsEnd = 'well' | 'failed' | 'lost'

export interface BracketParts {
  readonly drain: Drain
  readonly host: Host
  readonly play: string
  readonly fleet: Fleet
  readonly emit: (event: RunEvent) => void
}

/** The bracket drain one host's changes in one play. */
export class Bracket {
  readonly #parts: BracketParts
  readonly #one: Bracketed
  #isOpen = false
  /** Nobody had anything to do for it, so that nothing is told of it either, unless it goes wrong. */
  #isIdle = false

  constructor(parts: BracketParts) {
    this.#parts = parts
    this.#one = { host: parts.host.name, label: parts.drain.label }
  }

  /** Opens it, unless it is open. @throws Problem when it could not be opened everywhere; then it was closed again */
  async enter(): Promise<void> {
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
      ...(ways.has(name) ? [{ script: noted(this.#one, ways.get(name)?.scripts ?? []) }] : []),
      ...(enter.get(name)?.scripts ?? []).map((script) => asErrand(orIdle(script, drain.nothingToDo))),
    ]).finally(() => clearTimeout(slow))
    for (const member of there) if (ways.has(member.name)) member.undos.set(keyOf(this.#one), this.#one)
    const troubles = done.flatMap(({ trouble }) => trouble ?? [])
    if (troubles.length > 0) {
      await this.leave('failed')
      throw new Problem(`${host.name} could not be made ${label}, so nothing was changed on it`, {
        details: troubles.flatMap(({ lines }) => lines),
        next: 'Mend what kept it, then run the same command again.',
      })
    }
    this.#isIdle =
      drain.nothingToDo !== undefined &&
      done.length > 0 &&
      done.every(({ results }, i) => isIdle(results.slice(ways.has(there[i]?.name ?? '') ? 1 : 0)))
    if (!this.#isIdle) emit({ kind: 'bracket', ...about, label, outcome: 'entered', owed: false, on: names })
  }

  /** @throws Problem after a turn that went well and a way back that did not */
  async leave(turn: TurnsEnd): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { drain, host, emit, play } = this.#parts
    const { label } = drain
    const about = { kind: 'bracket', play, host: host.name, label, owed: false } as const
    const { there, missing } = await this.#reach(byHost(drain.undrain(host)))
    const byHand = there.map(({ name }) => `on ${name}: ${undoByHand(this.#one)}`)
    if (turn === 'lost') {
      const problem = new Problem(`${host.name} was lost in its turn and stays ${label}`, {
        details: byHand,
        next: 'The next run that finds it takes it back; the lines above do so by hand.',
      })
      emit({ ...about, outcome: 'stayed', problem })
      return
    }
    const failures = [
      ...(await this.#everywhere(there, () => [asErrand(undo(this.#one))])).flatMap(
        ({ trouble }) => trouble ?? [],
      ),
      ...missing.map((name) => ({
        name,
        lines: [`${name} cannot be reached; on it: ${undoByHand(this.#one)}`],
      })),
    ]
    for (const member of there)
      if (!failures.some(({ name }) => name === member.name)) member.undos.delete(keyOf(this.#one))
    if (failures.length > 0) {
      const problem = new Problem(`${host.name} stays ${label}`, {
        details: [...failures.flatMap(({ lines }) => lines), ...byHand],
        next: 'The next run takes it back first; the last lines above do so by hand.',
      })
      emit({ ...about, outcome: 'stayed', problem })
      if (turn === 'well') throw problem
      return
    }
    if (!this.#isIdle) emit({ ...about, outcome: 'left' })
    if (turn === 'well' && !this.#isIdle) await this.#settle()
  }

  async #settle(): Promise<void> {
    const { drain, host, emit, play } = this.#parts
    const wanted = byHost(drain.ready(host))
    if (wanted.size === 0) return
    const { there } = await this.#reach(wanted)
    const who = there.map(({ name }) => name).join(', ')
    emit({ kind: 'waiting', play, host: host.name, for: `${who}: back, no longer ${drain.label}` })
    const done = await this.#everywhere(there, ({ name }) => (wanted.get(name)?.scripts ?? []).map(asErrand))
    const failures = done.flatMap(({ trouble }) => trouble ?? [])
    if (failures.length === 0) return
    throw new Problem(`${host.name} is no longer ${drain.label}, but is not back in service either`, {
      details: failures.flatMap(({ lines }) => lines),
      next: 'Look at the service on the host; hosts after it were left alone.',
    })
  }

  async #reach(hosts: ReadonlyMap<string, { readonly host: Host }>): Promise<Reached> {
    const { fleet } = this.#parts
    const there: Member[] = []
    const missing: string[] = []
    for (const { host } of hosts.values()) {
      const member = await fleet.member(host, 'change')
      if (member && !fleet.unreachable.has(host.name)) there.push(member)
      else missing.push(host.name)
    }
    return { there, missing: this.#parts.drain.onUnreachable === 'ignore' ? [] : missing }
  }

  /** Does something on all of them side by side. */
  #everywhere(
    members: readonly Member[],
    scripts: (member: Member) => readonly Script[],
  ): Promise<readonly Errands[]> {
    return Promise.all(members.map((member) => errands(member, scripts(member), this.#parts.fleet)))
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
  readonly there: readonly Member[]
  readonly missing: readonly string[]
}

/** The hosts on which a play's bracket acts. */
export function helpersOf(drain: Drain, host: Host): readonly Host[] {
  return [...byHost([...drain.undrain(host), ...drain.drain(host)]).values()].map((one) => one.host)
}

export function keyOf({ host, label }: Bracketed): string {
  return `${host}: ${label}`
}
