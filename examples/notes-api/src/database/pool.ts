import type { Endpoint } from '../config.ts'

export type Row = Readonly<Record<string, unknown>>

/** @throws Refused | Lost */
export type Query = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>

/** Sessions with one database host, opened on demand. */
export interface Pool {
  readonly endpoint: Endpoint
  /**
   * Lends a session to the work, which must not leave a transaction open. A broken session is not reused.
   *
   * @param limit milliseconds from the request for a session to the end of the work; then the connection is closed
   * @throws Refused | Lost | Slow, or the error of the work
   */
  session<T>(work: (query: Query) => Promise<T>, limit: number): Promise<T>
  /** Closes all connections at once, including those in use. */
  destroy(): void
}

/** @param onLost called when an idle session breaks */
export type OpenPool = (endpoint: Endpoint, onLost: (reason: Error) => void) => Pool
