import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Timeouts } from '../model/inventory/host.ts'
import type { Duration } from '../shell/duration.ts'
import type { Clock } from './clock.ts'

/** One command that runs on a host, with its three streams. */
export interface RemoteProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Settles when the command has ended or the connection is lost, whichever is known first. Never rejects. */
  readonly ended: Promise<Exit>
  /** Gives the command up at once. */
  destroy(): void
}

export interface Exit {
  readonly code?: number
  readonly signal?: string
  /** Set when the connection ended, not the command: what happened, in words. */
  readonly lost?: string
}

/** A way to start commands on one host: an SSH connection, or this machine. */
export interface Connection {
  start(command: string): Promise<RemoteProcess>
  /** Bytes that went to the host and came from it, where the link can tell. */
  readonly traffic: { readonly sent: number; readonly received: number }
  /** Milliseconds after which the host hears of us again at the latest, where that is so: who is silent for long is gone. */
  readonly keepaliveInterval?: number
  close(): Promise<void>
}

/** How to reach one host: the part of the inventory that a transport looks at. */
export interface Target {
  /** The name in the inventory, for messages. */
  readonly name: string
  /** Where to connect: a name, an address, or an alias of the user's ssh_config. */
  readonly host: string
  /** Another name, whose `Host` block of ssh_config counts, too. It does not change where to connect. */
  readonly alias?: string
  readonly port?: number
  readonly user?: string
  readonly identityFile?: string
  /** The host's key as `SHA256:…`; when given, it alone is accepted and known_hosts is not asked. */
  readonly hostKey?: string
  /** What to do with the key of a host that is not known. A changed key is refused in any case. @default what ssh_config says */
  readonly hostKeys?: 'strict' | 'accept-new'
  /** Files of known hosts, read in place of those of ssh_config. */
  readonly knownHosts?: readonly string[]
  /** The limit of the TCP connection. @default what ssh_config and the defaults say */
  readonly connectTimeout?: Duration
  /** Limits of the login and of the connection. */
  readonly timeouts?: Pick<Timeouts, 'factor' | 'login' | 'keepalive'>
  /** Hosts to go through, the nearest first. */
  readonly proxyJump?: readonly Target[]
}

export interface Transport {
  /**
   * @param stop ends an attempt that is under way; no other is begun
   * @throws Problem when the host cannot be reached, refuses us, or shows a key that is not its own; Stopped
   */
  connect(target: Target, stop?: AbortSignal): Promise<Connection>
}

/** When a command has ended: until its last output is here. Not for ever, for what it left behind may hold the streams open. */
export async function drainOutput({ stdout, stderr }: RemoteProcess, clock: Clock): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  const ends = [stdout, stderr].map((stream: Readable) => finished(stream, { signal }).catch(() => {}))
  await Promise.race([Promise.all(ends), clock.wait(GRACE, signal)])
  over.abort()
}

const GRACE = 250
