import type { EventOf, Summary } from '../../model/event.ts'
import { elapsed } from '../../shell/duration.ts'
import { shortList, stepTitle } from '../format.ts'
import { type Paint, showProblem } from '../problem.ts'
import { recap } from '../recap.ts'
import { dispatch, type Handlers, type Reporter } from '../reporter.ts'
import {
  deferredLine,
  diffLines,
  drainLine,
  handlerLine,
  recoveredLines,
  type Style,
  SYMBOLS,
  type Symbols,
  stepDiffs,
  stepLines,
  waivedLine,
} from './lines.ts'

export interface PlainOptions {
  readonly write: (line: string) => void
  readonly paint: Paint
  /** Also shows steps without changes. */
  readonly verbose: boolean
  /** Shows each change when it happens; otherwise only at the end, with its diff. @default true */
  readonly asItHappens?: boolean
  /** @default SYMBOLS */
  readonly symbols?: Symbols
}

/** One line per event, for pipes, logs and screen readers, and a summary of changes at the end. Equal diffs are shown once. */
export function plainReporter({
  write,
  paint,
  verbose,
  asItHappens = true,
  symbols = SYMBOLS,
}: PlainOptions): Reporter {
  let width = 4
  const style = { paint, symbols }
  const changes = new ChangeSummary(style)
  const firstHostWith = new Map<string, string>()
  const later: string[] = []
  /** Titles of the deferred steps in the current turn, by host. */
  const deferred = new Map<string, string[]>()
  const print = asItHappens ? write : (text: string) => later.push(text)
  const line = (host: string, text: string) => print(`${host.padEnd(width)} ${text}`)
  const running = (host: string, text: string) => asItHappens && line(host, paint('dim', `${symbols.running} ${text}`))
  const note = (host: string, text: string) => verbose && line(host, `${symbols.note} ${text}`)
  const showDiff = (host: string, diff: string) => {
    const first = firstHostWith.get(diff)
    if (first === undefined) firstHostWith.set(diff, host)
    const lines = first === undefined ? diffLines(diff, paint) : [paint('dim', `    the same diff as on ${first}`)]
    for (const one of lines) line(host, one)
  }
  const handlers: Handlers = {
    begin: ({ hosts, plays }) => {
      width = hosts.reduce((most, host) => Math.max(most, host.length), width)
      if (verbose) write(`${hosts.length} hosts, ${plays.length} plays`)
    },
    connected: ({ host, ms }) => note(host, `connected in ${elapsed(ms)}`),
    unreachable: ({ problem }) => print(showProblem(problem, paint)),
    refreshed: ({ host, steps, differing }) => note(host, `${steps} steps read, ${differing} differ`),
    play: ({ play }) => verbose && write(paint('bold', symbols === SYMBOLS ? `── ${play}` : `play ${play}`)),
    turn: () => {},
    applying: ({ host, steps }) => {
      if (steps.some(({ kind }) => SLOW.has(kind))) running(host, steps.map(stepTitle).join(', '))
    },
    step: (event) => {
      changes.step(event, { diffs: !asItHappens })
      if (!asItHappens) return
      if (event.outcome === 'deferred')
        deferred.set(event.host, [...(deferred.get(event.host) ?? []), stepTitle(event.step)])
      if (event.outcome === 'deferred' || (event.outcome === 'ok' && !verbose)) return
      for (const one of stepLines(event, style)) line(event.host, one)
      for (const diff of stepDiffs(event)) showDiff(event.host, diff)
    },
    handler: (event) => {
      changes.handler(event)
      if (asItHappens) line(event.host, handlerLine(event, style))
    },
    drain: (event) => {
      if (event.problem) print(showProblem(event.problem, paint))
      else line(event.host, drainLine(event, style))
    },
    recovered: (event) => {
      for (const one of recoveredLines(event, style)) line(event.host, one)
    },
    policy: (event) => {
      if (event.problem) print(showProblem(event.problem, paint))
      else line(event.host, waivedLine(event, style))
    },
    progress: ({ host, step, text }) => running(host, `${stepTitle(step)}: ${text}`),
    waiting: ({ host, for: what }) => running(host, `waiting for ${what}`),
    turnEnd: ({ host }) => {
      const titles = deferred.get(host)
      deferred.delete(host)
      if (titles) line(host, deferredLine(titles, style))
    },
    skipped: ({ play, hosts, why }) =>
      print(`${paint('yellow', 'skipped:')} ${play} on ${shortList(hosts, MAX_SKIPPED)}: ${why}`),
    failed: ({ problem }) => print(showProblem(problem, paint)),
    end: ({ summary }) => {
      // With one host it would repeat the lines above.
      const lines = summary.hosts.length > 1 || !asItHappens ? changes.lines(summary) : []
      for (const one of [...lines, ...later.splice(0), recap(summary, paint)]) write(one)
    },
  }
  return {
    emit: (event) => dispatch(handlers, event),
    done: async () => {
      for (const one of later.splice(0)) write(one)
    },
  }
}

/** Kinds that may take long: their beginning is shown. */
const SLOW: ReadonlySet<string> = new Set(['package', 'transaction', 'command', 'service', 'release'])

/** More skipped hosts than these are counted, not named. */
const MAX_SKIPPED = 20

/** More hosts than these are counted, not named. */
const MAX_NAMES = 4

/** The changes of a run; equal changes of several hosts are shown once. */
class ChangeSummary {
  readonly #style: Style
  /** The hosts of each change, by its lines. */
  readonly #changes = new Map<string, { readonly hosts: Set<string>; readonly lines: readonly string[] }>()
  /** Titles of deferred steps, by host. */
  readonly #deferred = new Map<string, string[]>()

  constructor(style: Style) {
    this.#style = style
  }

  /** @param diffs include the diffs; changes with different diffs are then different. @default false */
  step(event: EventOf<'step'>, { diffs = false }: { readonly diffs?: boolean } = {}): void {
    if (event.outcome === 'deferred')
      this.#deferred.set(event.host, [...(this.#deferred.get(event.host) ?? []), stepTitle(event.step)])
    if (event.outcome === 'ok' || event.outcome === 'deferred' || event.outcome === 'failed') return
    const texts = diffs ? stepDiffs(event).flatMap((diff) => diffLines(diff, this.#style.paint)) : []
    this.#add(event.host, [...stepLines(event, this.#style), ...texts])
  }

  handler(event: EventOf<'handler'>): void {
    if (event.outcome !== 'failed') this.#add(event.host, [handlerLine(event, this.#style)])
  }

  /** Hosts are named in the order of the run. */
  lines({ mode, hosts: all }: Summary): readonly string[] {
    for (const [host, titles] of this.#deferred) this.#add(host, [deferredLine(titles, this.#style)])
    this.#deferred.clear()
    const order = new Map(all.map(({ host }, i) => [host, i]))
    const at = (host: string) => order.get(host) ?? order.size
    const changes = [...this.#changes.values()].map(({ hosts, lines }) => {
      const names = [...hosts].filter((host) => order.has(host)).sort((a, b) => at(a) - at(b))
      return { names: shortList(names, MAX_NAMES), lines }
    })
    if (changes.length === 0) return []
    const width = changes.reduce((most, { names }) => Math.max(most, names.length), 0)
    return [
      this.#style.paint('bold', mode === 'plan' ? 'Would change:' : 'Changed:'),
      ...changes.flatMap(({ names, lines: [first = '', ...rest] }) => [
        `  ${names.padEnd(width)} ${first}`,
        ...rest.map((line) => `  ${line}`),
      ]),
    ]
  }

  #add(host: string, lines: readonly string[]): void {
    const key = lines.join('\n')
    const known = this.#changes.get(key) ?? { hosts: new Set(), lines }
    known.hosts.add(host)
    this.#changes.set(key, known)
  }
}
