import type { Target } from '../transport.ts'

/**
 * All that is needed to log in to one host. What the inventory says goes before what ssh_config says, and that before our
 * defaults.
 */
export interface LoginSettings {
  /** As it is called in the inventory or in a ProxyJump, for messages. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly identities: Identities
  readonly hostKey: HostKeyRules
  /** Milliseconds until the TCP connection is open. */
  readonly connectTimeout: number
  /** Milliseconds without a byte of the host after which a login is given up. */
  readonly loginTimeout: number
  readonly keepalive: Keepalive
  /** The jump hosts on the way, in the order in which they are passed. */
  readonly proxyJump: readonly Target[]
}

export interface Identities {
  readonly files: readonly string[]
  /** Whether somebody named the files; the usual ones may be missing without a word. */
  readonly named: boolean
  /** Keys of the agent that are not in `files` are left alone. */
  readonly only: boolean
  /** The agent's socket. */
  readonly agent: string | undefined
}

export interface HostKeyRules {
  /** The fingerprint from the inventory, `SHA256:…`. */
  readonly pin: string | undefined
  /** The host's name in known_hosts. */
  readonly name: string
  /** Also looked for when nothing is known under `name`: a host on another port may be known without it. */
  readonly plainName: string | undefined
  /** The first is the one to write to. */
  readonly userFiles: readonly string[]
  readonly globalFiles: readonly string[]
  readonly unknown: 'refuse' | 'ask' | 'accept'
  /** New lines do not show the name. */
  readonly hash: boolean
  /** What to agree on at all, the best first. @default what ssh2 has, without SHA-1 */
  readonly algorithms: readonly string[] | undefined
}

export interface Keepalive {
  /** Milliseconds between two questions whether the host is still there. */
  readonly interval: number
  /** Answers that may be missing in a row. */
  readonly misses: number
}

/** `deploy@10.0.0.5:2222`. */
export function address({ user, host, port }: LoginSettings): string {
  return `${user}@${host.includes(':') ? `[${host}]` : host}${port === 22 ? '' : `:${port}`}`
}
