import type { RunEvent } from '../../model/event.ts'
import { elapsed } from '../../shell/duration.ts'
import { drainTitle, stepTitle } from '../format.ts'
import type { Paint } from '../problem.ts'
import { dispatch, type Handlers } from '../reporter.ts'

/** A play of more hosts has a single row; otherwise each host has a row. */
const MAX_HOST_ROWS = 12

/** Milliseconds after which a host's current activity is shown with its duration. */
const SHOW_TIME_AFTER = 2_000

interface PlayRow {
  readonly title: string
  readonly phase: 'pending' | 'running' | 'finished'
  /** Empty when the play has a single row. */
  readonly hosts: readonly HostRow[]
}

interface HostRow {
  readonly host: string
  readonly title: string
  readonly outcome: 'running' | 'done' | 'failed'
}

interface HostProgress {
  /** Rendered only when it is drawn: a run has many more steps than drawings. */
  readonly activity: () => string
  readonly since: number
  readonly outcome: HostRow['outcome']
}

/** The current state of a run as rows for a terminal. */
export class LiveBoard {
  readonly #paint: Paint
  readonly #now: () => number
  readonly #plays = new Map<string, Map<string, HostProgress>>()
  readonly #read = { hosts: 0, of: 0, steps: 0, differing: 0 }
  /** The reasons for which slow hosts wait, while all hosts are read. */
  readonly #reading = new Map<string, string>()
  /** The play that began last. */
  #current = -1
  #finished = false

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

  /** Ends all rows. */
  close(): void {
    this.#finished = true
  }

  readRow(): Omit<PlayRow, 'hosts'> {
    const { hosts, of, steps, differing } = this.#read
    const title =
      hosts === 0 ? `reading ${of} hosts` : `read ${hosts} of ${of} hosts: ${steps} steps, ${differing} differ`
    const slow = [...this.#reading].map(([host, what]) => `; ${host} waiting for ${what}`)
    return {
      title: [title, ...slow.slice(0, 3)].join(''),
      phase: this.#finished || this.#current >= 0 ? 'finished' : 'running',
    }
  }

  play(play: string): PlayRow {
    const hosts = [...(this.#plays.get(play) ?? [])]
    const at = this.plays.indexOf(play)
    const phase = this.#finished || at < this.#current ? 'finished' : at === this.#current ? 'running' : 'pending'
    if (hosts.length <= MAX_HOST_ROWS)
      return { title: play, phase, hosts: hosts.map(([host, progress]) => this.#hostRow(host, progress)) }
    return { title: `${play} ${this.#paint('dim', this.#playProgress(hosts))}`, phase, hosts: [] }
  }

  #hostRow(host: string, { activity, since, outcome }: HostProgress): HostRow {
    if (outcome !== 'running') return { host, title: `${host} ${activity()}`, outcome }
    return { host, title: `${host} ${this.#paint('dim', this.#timed(activity, since))}`, outcome }
  }

  /** The number of finished hosts, and the hosts that have been at their activity for the longest time. */
  #playProgress(hosts: readonly (readonly [string, HostProgress])[]): string {
    const number = (wanted: HostRow['outcome']) => hosts.filter(([, { outcome }]) => outcome === wanted).length
    const failed = number('failed')
    const slowest = hosts
      .filter(([, { outcome }]) => outcome === 'running')
      .sort(([, a], [, b]) => a.since - b.since)
      .slice(0, 3)
      .map(([host, { activity, since }]) => [host, this.#timed(activity, since)].join(' ').trim())
    return [
      `${number('done') + failed} of ${hosts.length}`,
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...slowest,
    ].join(' · ')
  }

  #timed(activity: () => string, since: number): string {
    const ms = this.#now() - since
    return [activity(), ...(ms < SHOW_TIME_AFTER ? [] : [elapsed(ms)])].filter((part) => part !== '').join(', ')
  }

  #begin(play: string): void {
    this.#current = Math.max(this.#current, this.plays.indexOf(play))
  }

  #show(play: string, host: string, activity: () => string): void {
    this.#plays.get(play)?.set(host, { activity, since: this.#now(), outcome: 'running' })
  }

  #end(play: string, host: string, text: string, outcome: 'done' | 'failed'): void {
    this.#plays.get(play)?.set(host, { activity: () => text, since: this.#now(), outcome })
  }

  readonly #handlers: Handlers = {
    begin: ({ hosts, plays }) => {
      this.#read.of = hosts.length
      for (const play of plays) this.#plays.set(play, new Map())
    },
    connected: () => {},
    unreachable: ({ host }) => void this.#reading.delete(host),
    refreshed: ({ host, steps, differing }) => {
      this.#reading.delete(host)
      this.#read.hosts++
      this.#read.steps += steps
      this.#read.differing += differing
    },
    play: ({ play, hosts }) => {
      this.#begin(play)
      for (const host of hosts) this.#show(play, host, () => '')
    },
    turn: ({ play, host, steps }) => this.#show(play, host, () => `${steps} steps`),
    applying: ({ play, host, steps }) =>
      this.#show(play, host, () => {
        const last = steps.at(-1)
        return last ? `${stepTitle(last)}${steps.length > 1 ? ` and ${steps.length - 1} more` : ''}` : ''
      }),
    step: ({ play, host, step }) => this.#show(play, host, () => stepTitle(step)),
    handler: ({ play, host, name }) => this.#show(play, host, () => name),
    drain: ({ play, host, label, outcome }) => this.#show(play, host, () => drainTitle(label, outcome)),
    recovered: () => {},
    policy: () => {},
    progress: ({ play, host, step, text }) => this.#show(play, host, () => `${stepTitle(step)}: ${text}`),
    waiting: ({ play, host, for: what }) => {
      // Questions are also asked before the first play and between plays.
      if (play === '' && this.#current < 0) this.#reading.set(host, what)
      else this.#show(play || (this.plays[this.#current] ?? ''), host, () => `waiting for ${what}`)
    },
    turnEnd: ({ play, host, changed, failed }) => {
      const done = changed > 0 ? this.#paint('yellow', `${changed} changed`) : this.#paint('dim', 'ok')
      this.#end(play, host, failed ? this.#paint('red', 'failed') : done, failed ? 'failed' : 'done')
    },
    skipped: ({ play, hosts }) => {
      this.#begin(play)
      for (const host of hosts) this.#end(play, host, this.#paint('yellow', 'skipped'), 'done')
    },
    failed: ({ host }) => void this.#reading.delete(host),
    end: () => this.close(),
  }
}
