import type { Endpoint } from '../config.ts'

export type Row = Readonly<Record<string, unknown>>

/** @throws Refused | Lost */
export type Query = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>

/** Sessions with one database host, opened as they are needed. */
export interface Pool {
  readonly endpoint: Endpoint
  /**
   * Lends a session to the work, which must leave no transaction open. One that broke is not lent again.
   *
   * @param limit milliseconds from asking for the session to the work's end, then the connection is cut
   * @throws Refused | Lost | Slow, or what the work throws
   */
  session<T>(work: (query: Query) => Promise<T>, limit: number): Promise<T>
  /** Cuts every connection at once, those in use too. */
  destroy(): void
}

/** @param onLost is told when a session breaks that nobody uses */
export type OpenPool = (endpoint: Endpoint, onLost: (reason: Error) => void) => Pool
