import type { EventOf, RunEvent } from '../model/event.ts'
import { Problem } from '../model/problem.ts'
import type { Diff } from '../model/resource/diff.ts'
import type { Source } from '../model/source.ts'
import { Secret } from '../shell/secret.ts'
import { formatSource } from './problem.ts'

/** Shows a run, event by event. */
export interface Reporter {
  readonly emit: (event: RunEvent) => void
  /** Flushes pending output. */
  readonly done: () => Promise<void>
}

/** A handler for each kind of event: a new kind without one does not compile. */
export type Handlers = { readonly [K in RunEvent['kind']]: (event: EventOf<K>) => void }

export function dispatch(handlers: Handlers, event: RunEvent): void {
  // The handler of a kind takes the events of that kind.
  const handle = handlers[event.kind] as (event: RunEvent) => void
  handle(event)
}

/** Writes each event as a line of JSON with its time; secrets are masked. */
export function jsonReporter(write: (line: string) => void): Reporter {
  return { emit: (event) => write(jsonLine(event)), done: async () => {} }
}

/** An object as a line of JSON with the current time; secrets are masked. */
export function jsonLine(line: object): string {
  return JSON.stringify({ at: new Date().toISOString(), ...line }, (key, value: unknown) => {
    if (typeof value === 'string') return Secret.redact(value)
    if (key === 'texts')
      return (value as NonNullable<Diff['texts']>).map(({ path, after, instead }) => ({ path, after, instead }))
    if (key === 'source' && value !== undefined) return formatSource(value as Source)
    if (!(value instanceof Problem)) return value
    const { message, where, details, next } = value
    return { message, where: where && formatSource(where), details, next }
  })
}
