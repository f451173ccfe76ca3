import { AsyncLocalStorage } from 'node:async_hooks'

const current = new AsyncLocalStorage<string>()

/** Whatever the work does, now or later, is done for this request. @param id of letters, digits and `_.:-` alone */
export function forRequest<T>(id: string, work: () => T): T {
  return current.run(id, work)
}

/** The id of the request that this is done for; undefined when it is for none. */
export function requestId(): string | undefined {
  return current.getStore()
}
