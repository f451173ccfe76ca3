export interface UpstreamParams {
  /** The name of the group of servers. Operations use `<name>/<server>`. */
  readonly name: string
  /** The servers that share the requests. */
  readonly servers: readonly UpstreamServer[]
  /** The path of the health check, requested twice a second. A server answers 200 while it is alive, also if its backend is down. */
  readonly path: string
  /** The port on 127.0.0.1. @default 8406 */
  readonly port?: number
  /** Seconds until an answer must begin. @default 10 */
  readonly answerWithin?: number
  /** True if connections may become WebSockets, which stay open for an hour without data. @default false */
  readonly websockets?: boolean
  /** The beginnings of paths whose answers are long streams. @default none */
  readonly streams?: readonly string[]
}

export interface UpstreamServer {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** The default port. */
export const UPSTREAM_PORT = 8406
