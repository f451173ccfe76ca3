import type { RunEvent } from '../model/event.ts'

/** The events of a run for one reader. Events are kept until they are read, and dropped once the reader has left. */
export class EventStream implements AsyncIterable<RunEvent> {
  #kept: RunEvent[] = []
  #wake: (() => void) | undefined
  #left = false
  #end: { readonly error?: unknown } | undefined

  push(event: RunEvent): void {
    if (!this.#left) this.#kept.push(event)
    this.#wake?.()
  }

  /** @param error thrown to the reader after the last event; undefined for a run that has ended well */
  end(error?: unknown): void {
    this.#end = error === undefined ? {} : { error }
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, undefined> {
    try {
      for (;;) {
        const events = this.#kept
        this.#kept = []
        yield* events
        if (this.#kept.length > 0) continue
        if (this.#end?.error !== undefined) throw this.#end.error
        if (this.#end) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      this.#left = true
      this.#kept = []
    }
  }
}
