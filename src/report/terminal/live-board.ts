import type { RunEvent } from '../../model/event.ts'
import { elapsed } from '../../text/duration.ts'
import { stepTitle } from '../describe.ts'
import type { Paint } from '../problem.ts'
import { dispatch, type Handlers } from '../reporter.ts'

/** A play of more hosts than this has one row in all, else one for each host. */
export const MAX_HOST_ROWS = 12

/** What a host has been at for longer than this is told with its time, ms. */
const SHOW_TIME_AFTER = 2_000

/** How a play stands. */
export interface PlayRow {
  readonly title: string
  readonly phase: 'to come' | 'running' | 'over'
  /** Empty where the title tells of all of them. */
  readonly hosts: readonly HostRow[]
}

export interface HostRow {
  readonly host: string
  readonly title: string
  readonly outcome: 'running' | 'done' | 'failed'
}

interface HostProgress {
  /** Made only when it is drawn: a run has many more steps than moments to show them. */
  readonly doing: () => string
  readonly since: number
  readonly outcome: HostRow['outcome']
}

/** What a terminal shows of a run at any moment. */
export class LiveBoard {
  readonly #paint: Paint
  readonly #now: () => number
  readonly #plays = new Map<string, Map<string, HostProgress>>()
  readonly #read = { hosts: 0, of: 0, steps: 0, differing: 0 }
  /** The hosts that take long to answer while all are read, and what they are asked. */
  readonly #asked = new Map<string, string>()
  /** The play that was begun last. */
  #current = -1
  #over = false

  constructor(paint: Paint, now: () => number = Date.now) {
    this.#paint = paint
    this.#now = now
  }

  get plays(): readonly string[] {
    return [...this.#plays.keys()]
  }

  emit(event: RunEvent): void {
    dispatch(this.#handlers, event)
  }

  /** Nothing more will come. */
  close(): void {
    this.#over = true
  }

  survey(): Omit<PlayRow, 'hosts'> {
    const { hosts, of, steps, differing } = this.#read
    const title =
      hosts === 0
        ? `reading ${of} hosts`
        : `read ${hosts} of ${of} hosts: ${steps} steps, ${differing} differ`
    const slow = [...this.#asked].map(([host, what]) => `; ${host} waiting for ${what}`)
    return {
      title: [title, ...slow.slice(0, 3)].join(''),
      phase: this.#over || this.#current >= 0 ? 'over' : 'running',
    }
  }

  play(play: string): PlayRow {
    const hosts = [...(this.#plays.get(play) ?? [])]
    const at = this.plays.indexOf(play)
    const phase = this.#over || at < this.#current ? 'over' : at === this.#current ? 'running' : 'to come'
    if (hosts.length <= MAX_HOST_ROWS)
      return { title: play, phase, hosts: hosts.map(([host, at]) => this.#hostRow(host, at)) }
    return { title: `${play} ${this.#paint('dim', this.#inShort(hosts))}`, phase, hosts: [] }
  }

  #hostRow(host: string, { doing, since, outcome }: HostProgress): HostRow {
    if (outcome !== 'running') return { host, title: `${host} ${doing()}`, outcome }
    return { host, title: `${host} ${this.#paint('dim', this.#words(doing, since))}`, outcome }
  }

  /** How many are done, and what those are at that have been at it longest. */
  #inShort(hosts: readonly (readonly [string, HostProgress])[]): string {
    const count = (wanted: HostProgress['outcome']) =>
      hosts.filter(([, { outcome }]) => outcome === wanted).length
    const failed = count('failed')
    const slowest = hosts
      .filter(([, { outcome }]) => outcome === 'running')
      .sort(([, a], [, b]) => a.since - b.since)
      .slice(0, 3)
      .map(([host, { doing, since }]) => [host, this.#words(doing, since)].join(' ').trim())
    return [
      `${count('done') + failed} of ${hosts.length}`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...slowest,
    ].join(' · ')
  }

  #words(doing: () => string, since: number): string {
    const ms = this.#now() - since
    return [doing(), ...(ms < SHOW_TIME_AFTER ? [] : [elapsed(ms)])]
      .filter((words) => words !== '')
      .join(', ')
  }

  #begin(play: string): void {
    this.#current = Math.max(this.#current, this.plays.indexOf(play))
  }

  #say(play: string, host: string, doing: () => string): void {
    this.#plays.get(play)?.set(host, { doing, since: this.#now(), outcome: 'running' })
  }

  #end(play: string, host: string, words: string, outcome: 'done' | 'failed'): void {
    this.#plays.get(play)?.set(host, { doing: () => words, since: this.#now(), outcome })
  }

  readonly #handlers: Handlers = {
    begin: ({ hosts, plays }) => {
      this.#read.of = hosts.length
      for (const play of plays) this.#plays.set(play, new Map())
    },
    connected: () => {},
    unreachable: ({ host }) => void this.#asked.delete(host),
    surveyed: ({ host, steps, differing }) => {
      this.#asked.delete(host)
      this.#read.hosts++
      this.#read.steps += steps
      this.#read.differing += differing
    },
    play: ({ play, hosts }) => {
      this.#begin(play)
      for (const host of hosts) this.#say(play, host, () => '')
    },
    turn: ({ play, host, steps }) => this.#say(play, host, () => `${steps} steps`),
    applying: ({ play, host, steps }) =>
      this.#say(play, host, () => {
        const last = steps.at(-1)
        return last ? `${stepTitle(last)}${steps.length > 1 ? ` and ${steps.length - 1} more` : ''}` : ''
      }),
    step: ({ play, host, step }) => this.#say(play, host, () => stepTitle(step)),
    handler: ({ play, host, name }) => this.#say(play, host, () => name),
    bracket: ({ play, host, label, outcome }) =>
      this.#say(play, host, () => (outcome === 'left' ? `no longer ${label}` : label)),
    recovered: () => {},
    progress: ({ play, host, step, text }) => this.#say(play, host, () => `${stepTitle(step)}: ${text}`),
    waiting: ({ play, host, for: what }) => {
      // A question is asked outside of plays, too.
      if (play === '' && this.#current < 0) this.#asked.set(host, what)
      else this.#say(play || (this.plays[this.#current] ?? ''), host, () => `waiting for ${what}`)
    },
    turned: ({ play, host, changed, failed }) => {
      const words =
        changed > 0 ? this.#paint('yellow', `${changed} changed`) : this.#paint('dim', 'as wanted')
      this.#end(play, host, failed ? this.#paint('red', 'failed') : words, failed ? 'failed' : 'done')
    },
    skipped: ({ play, hosts }) => {
      this.#begin(play)
      for (const host of hosts) this.#end(play, host, this.#paint('yellow', 'left alone'), 'done')
    },
    failed: ({ host }) => void this.#asked.delete(host),
    end: () => this.close(),
  }
}
