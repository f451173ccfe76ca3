import type { Around } from '../model/around.ts'
import type { RunEvent } from '../model/event.ts'
import type { Host } from '../model/host.ts'
import { Problem } from '../model/problem.ts'
import type { Script } from '../transport/session.ts'
import { asErrand, byHost, errands, type Trouble } from './errands.ts'
import type { Fleet } from './fleet.ts'
import type { Member } from './member.ts'
import { type Bracketed, noted, undo, undoByHand } from './undo.ts'

/** How a host's turn ended. */
export type TurnsEnd = 'well' | 'failed' | 'lost'

export interface BracketParts {
  readonly around: Around
  readonly host: Host
  readonly play: string
  readonly fleet: Fleet
  readonly emit: (event: RunEvent) => void
}

/** The bracket around one host's changes in one play. */
export class Bracket {
  readonly #parts: BracketParts
  readonly #one: Bracketed

  constructor(parts: BracketParts) {
    this.#parts = parts
    this.#one = { host: parts.host.name, label: parts.around.label }
  }

  /** @throws Problem when it could not be opened everywhere; then it was closed again */
  async enter(): Promise<void> {
    const { around, host, emit, play } = this.#parts
    const { label } = around
    const ways = byHost(around.leave(host))
    const enter = byHost(around.enter(host))
    const { there, missing } = await this.#reach(new Map([...ways, ...enter]))
    if (missing.length > 0)
      throw new Problem(`${host.name} cannot be made ${label}: ${missing.join(', ')} cannot be reached`, {
        next: `Bring ${missing.join(', ')} back or take it out of the inventory, then run the same command again.`,
      })
    emit({
      kind: 'waiting',
      play,
      host: host.name,
      for: `${there.map(({ name }) => name).join(', ')}: ${label}`,
    })
    const entered = await this.#everywhere(there, ({ name }) => [
      { script: noted(this.#one, ways.get(name)?.scripts ?? []) },
      ...(enter.get(name)?.scripts ?? []).map(asErrand),
    ])
    for (const member of there) member.undos.set(keyOf(this.#one), this.#one)
    if (entered.length > 0) {
      await this.leave('failed')
      throw new Problem(`${host.name} could not be made ${label}, so nothing was changed on it`, {
        details: entered.flatMap(({ lines }) => lines),
        next: 'Mend what kept it, then run the same command again.',
      })
    }
    emit({ kind: 'bracket', play, host: host.name, label, outcome: 'entered', owed: false })
  }

  /** @throws Problem after a turn that went well and a way back that did not */
  async leave(turn: TurnsEnd): Promise<void> {
    const { around, host, emit, play } = this.#parts
    const { label } = around
    const about = { kind: 'bracket', play, host: host.name, label, owed: false } as const
    const { there, missing } = await this.#reach(byHost(around.leave(host)))
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
      ...(await this.#everywhere(there, () => [asErrand(undo(this.#one))])),
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
    emit({ ...about, outcome: 'left' })
    if (turn === 'well') await this.#settle()
  }

  async #settle(): Promise<void> {
    const { around, host, emit, play } = this.#parts
    const wanted = byHost(around.settled(host))
    if (wanted.size === 0) return
    const { there } = await this.#reach(wanted)
    const who = there.map(({ name }) => name).join(', ')
    emit({ kind: 'waiting', play, host: host.name, for: `${who}: back, no longer ${around.label}` })
    const failures = await this.#everywhere(there, ({ name }) =>
      (wanted.get(name)?.scripts ?? []).map(asErrand),
    )
    if (failures.length === 0) return
    throw new Problem(`${host.name} is no longer ${around.label}, but is not back in service either`, {
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
    return { there, missing }
  }

  /** Does something on all of them side by side. @returns what failed where */
  async #everywhere(
    members: readonly Member[],
    scripts: (member: Member) => readonly Script[],
  ): Promise<readonly Trouble[]> {
    const all = await Promise.all(
      members.map((member) => errands(member, scripts(member), this.#parts.fleet)),
    )
    return all.filter((one) => one !== undefined)
  }
}

interface Reached {
  readonly there: readonly Member[]
  readonly missing: readonly string[]
}

/** The hosts on which a play's bracket acts. */
export function helpersOf(around: Around, host: Host): readonly Host[] {
  return [...byHost([...around.leave(host), ...around.enter(host)]).values()].map((one) => one.host)
}

export function keyOf({ host, label }: Bracketed): string {
  return `${host}: ${label}`
}
