import type { EventOf, RunEvent } from '../model/event.ts'

/** Shows a run, event by event. */
export interface Reporter {
  readonly emit: (event: RunEvent) => void
  /** Lets what is still to be drawn be drawn. */
  readonly done: () => Promise<void>
}

/** What to do about each kind of event: an event that no line stands for does not compile. */
export type Handlers = { readonly [K in RunEvent['kind']]: (event: EventOf<K>) => void }

export function dispatch(handlers: Handlers, event: RunEvent): void {
  // The handler under a kind takes the events of that kind.
  const handle = handlers[event.kind] as (event: RunEvent) => void
  handle(event)
}
