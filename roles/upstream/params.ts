export interface UpstreamParams {
  /** What the servers are together, and what operations call them: `<name>/<server>`. */
  readonly name: string
  /** Those that share the requests. */
  readonly servers: readonly UpstreamServer[]
  /** A path that each server answers with 200 while it is alive, whatever becomes of what is behind it. It is asked twice a second. */
  readonly path: string
  /** Of 127.0.0.1. @default 8406 */
  readonly port?: number
  /** Seconds for a server's answer to begin. @default 10 */
  readonly answerWithin?: number
}

export interface UpstreamServer {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** The port of {@link upstream} on the host itself, unless told otherwise. */
export const UPSTREAM_PORT = 8406
