import { randomBytes } from 'node:crypto'
import type { EventOf, StepInfo } from '../model/event.ts'
import { HOOK_TIMEOUT, type Hook, type HookReport, hook, type TimedEvent } from '../model/hook.ts'
import type { Secret } from '../shell/secret.ts'
import { type HttpOptions, nameOf, post } from './webhook.ts'

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions extends HttpOptions {
  /** The value of `service.name`. @default 'provision' */
  readonly service?: string
}

/**
 * Sends the run as a trace over OTLP/HTTP with JSON: a span for the run, one for each host, and below it one for the login, the read,
 * each change and each handler. Use it as `onEnd`. Secrets of the run are masked.
 *
 * @param url of the collector, without the path `/v1/traces`; a Secret if it contains a token
 * @throws TypeError for a text that is no HTTP URL
 * @example openTelemetry('http://localhost:4318')
 */
export function openTelemetry(
  url: string | Secret,
  { service = 'provision', headers, timeout }: OpenTelemetryOptions = {},
): Hook {
  const endpoint = (base: string) => `${base.replace(/\/+$/, '')}/v1/traces`
  const target = typeof url === 'string' ? endpoint(url) : url.map(endpoint)
  return hook(
    nameOf('openTelemetry', url),
    (report, signal) => post(target, traceOf(report, service), { signal, ...(headers && { headers }) }),
    { timeout: timeout ?? HOOK_TIMEOUT },
  )
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  /** SPAN_KIND_INTERNAL. */
  readonly kind: 1
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly events?: readonly { readonly timeUnixNano: string; readonly name: string }[]
  /** 2 for an error. */
  readonly status?: { readonly code: 2; readonly message: string }
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string } | { readonly intValue: string }
}

/** The request of OTLP for the spans of a run. */
export function traceOf(report: HookReport, service: string): object {
  const scopeSpans = [{ scope: { name: 'provision' }, spans: new Trace(report).spans() }]
  return { resourceSpans: [{ resource: { attributes: attributes({ 'service.name': service }) }, scopeSpans }] }
}

interface SpanOptions {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly parent?: string
  readonly about?: Readonly<Record<string, string | number | undefined>>
  /** The message of an error. */
  readonly error?: string | undefined
}

/** Builds the spans of a run from its events. */
class Trace {
  readonly #report: HookReport
  readonly #traceId = randomBytes(16).toString('hex')
  readonly #root = newId()

  constructor(report: HookReport) {
    this.#report = report
  }

  spans(): readonly Span[] {
    const { mode, status, began, ms, command, hosts, problems, events } = this.#report
    const from = Date.parse(began)
    const root = this.#span(this.#root, {
      ...{ name: `provision ${mode}`, from, to: from + ms },
      about: { 'provision.status': status, 'provision.command': command, 'provision.hosts': hosts.length },
      error: status === 'ok' || status === 'changes' ? undefined : (problems[0]?.message ?? status),
    })
    return [root, ...hosts.flatMap(({ host, outcome }) => this.#hostSpans(host, outcome, ofHost(events, host)))]
  }

  #hostSpans(host: string, outcome: string, events: readonly TimedEvent[]): readonly Span[] {
    const from = Date.parse(this.#report.began)
    const id = newId()
    const error = this.#report.problems.find((one) => one.host === host)?.message
    const planned = events.filter(({ event }) => event.kind === 'step' && event.outcome === 'planned')
    const own = this.#span(id, {
      ...{ name: host, from: firstOf(events) ?? from, to: events.at(-1)?.at ?? from, parent: this.#root },
      about: { 'host.name': host, 'provision.outcome': outcome },
      error,
    })
    const notes = planned.flatMap(({ at, event }) =>
      event.kind === 'step' ? [{ timeUnixNano: nanoseconds(at), name: `would change ${titleOf(event.step)}` }] : [],
    )
    return [notes.length > 0 ? { ...own, events: notes } : own, ...this.#activities(id, events)]
  }

  /** The login, the read, the changes and the handlers of a host. */
  #activities(parent: string, events: readonly TimedEvent[]): readonly Span[] {
    const spans: Span[] = []
    const started = new Map<string, number>()
    let last: number | undefined
    for (const { at, event } of events) {
      const add = (options: Omit<SpanOptions, 'parent' | 'to'>) =>
        spans.push(this.#span(newId(), { ...options, to: at, parent }))
      if (event.kind === 'connected') add({ name: 'login', from: at - event.ms })
      else if (event.kind === 'refreshed')
        add({ name: 'read', from: last ?? at, about: { 'provision.steps': event.steps } })
      else if (event.kind === 'applying') for (const step of event.steps) started.set(titleOf(step), at)
      else if (event.kind === 'step' && (event.outcome === 'changed' || event.outcome === 'failed'))
        add(stepSpan(event, started.get(titleOf(event.step)) ?? last ?? at))
      else if (event.kind === 'handler' && event.outcome !== 'planned')
        add({
          name: event.name,
          from: last ?? at,
          error: event.problem?.message,
          about: { 'provision.play': event.play },
        })
      last = at
    }
    return spans
  }

  #span(spanId: string, { name, from, to, parent, about = {}, error }: SpanOptions): Span {
    return {
      ...{ traceId: this.#traceId, spanId, name, kind: 1 },
      ...(parent !== undefined && { parentSpanId: parent }),
      ...{ startTimeUnixNano: nanoseconds(from), endTimeUnixNano: nanoseconds(Math.max(from, to)) },
      attributes: attributes(about),
      ...(error !== undefined && { status: { code: 2, message: error } }),
    }
  }
}

function stepSpan(event: EventOf<'step'>, from: number): Omit<SpanOptions, 'parent' | 'to'> {
  const { step, play, outcome } = event
  return {
    ...{ name: titleOf(step), from },
    about: {
      'provision.play': play,
      'provision.role': step.roles.join(' › ') || undefined,
      'provision.action': outcome === 'changed' ? event.difference.action : undefined,
    },
    error: outcome === 'failed' ? event.problem.message : undefined,
  }
}

function ofHost(events: readonly TimedEvent[], host: string): readonly TimedEvent[] {
  return events.filter(({ event }) => 'host' in event && event.host === host)
}

/** The start of the first activity: the event of a login is emitted at its end. */
function firstOf([first]: readonly TimedEvent[]): number | undefined {
  return first?.event.kind === 'connected' ? first.at - first.event.ms : first?.at
}

function titleOf({ kind, name }: StepInfo): string {
  return `${kind} ${name}`
}

function newId(): string {
  return randomBytes(8).toString('hex')
}

/** @param ms since 1970 */
function nanoseconds(ms: number): string {
  return (BigInt(Math.round(ms * 1_000)) * 1_000n).toString()
}

function attributes(of: Readonly<Record<string, string | number | undefined>>): readonly Attribute[] {
  return Object.entries(of).flatMap(([key, value]) => {
    if (value === undefined) return []
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }]
  })
}
