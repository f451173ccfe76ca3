import type { EventOf, RunEvent } from '../model/event.ts'

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
