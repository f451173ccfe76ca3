import { AsyncLocalStorage } from 'node:async_hooks'

const current = new AsyncLocalStorage<string>()

/** Runs the work, including its later callbacks, in the context of this request. @param id only letters, digits and `_.:-` */
export function forRequest<T>(id: string, work: () => T): T {
  return current.run(id, work)
}

/** The id of the current request; undefined outside a request. */
export function requestId(): string | undefined {
  return current.getStore()
}
