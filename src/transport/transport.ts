import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Timeouts } from '../model/inventory/host.ts'
import type { Duration } from '../shell/duration.ts'
import type { Clock } from './clock.ts'

/** A command that runs on a host, with its three streams. */
export interface RemoteProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves when the command has ended or the connection is lost, whichever is known first. Never rejects. */
  readonly exit: Promise<Exit>
  /** Stops waiting for the command and closes its streams. */
  destroy(): void
}

export interface Exit {
  readonly code?: number
  readonly signal?: string
  /** The reason, if the connection was lost before the command ended. */
  readonly lost?: string
}

/** Waits for the rest of the output of a command that has ended, with a limit: processes that it left behind may hold the streams open. */
export async function drainOutput(process: RemoteProcess, clock: Clock): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  const ends = [process.stdout, process.stderr].map((stream) => finished(stream, { signal }).catch(() => {}))
  await Promise.race([Promise.all(ends), clock.wait(DRAIN_TIMEOUT, signal)])
  over.abort()
}

/** Milliseconds. */
const DRAIN_TIMEOUT = 250

/** Starts commands on one host: over an SSH connection, or on this machine. */
export interface Connection {
  start(command: string): Promise<RemoteProcess>
  /** Bytes sent to the host and received from it, if the connection counts them. */
  readonly traffic: Traffic
  /** Milliseconds between two keepalive messages, if the connection sends any: a client that is silent for longer is dead. */
  readonly keepaliveInterval?: number
  close(): Promise<void>
}

export interface Traffic {
  readonly sent: number
  readonly received: number
}

/** The connection options of one host: the part of the inventory that a transport reads. */
export interface Target {
  /** The name in the inventory, for messages. */
  readonly name: string
  /** The host name, address, or alias in the user's ssh_config. */
  readonly host: string
  /** Another name whose `Host` block of ssh_config applies too. It does not change the address. */
  readonly alias?: string
  readonly port?: number
  readonly user?: string
  readonly identityFile?: string
  /** The host's key as `SHA256:…`. If given, only this key is accepted and known_hosts is not read. */
  readonly hostKey?: string
  /** Policy for unknown host keys. A changed key is always rejected. @default that of ssh_config */
  readonly hostKeys?: 'strict' | 'accept-new'
  /** known_hosts files, instead of those of ssh_config. */
  readonly knownHosts?: readonly string[]
  /** Limit of the TCP connection. @default that of ssh_config, else 10 s */
  readonly connectTimeout?: Duration
  /** Limits of the login and of the connection. */
  readonly timeouts?: Pick<Timeouts, 'factor' | 'login' | 'keepalive'>
  /** Jump hosts, in the order in which they are passed. */
  readonly proxyJump?: readonly Target[]
}

export interface Transport {
  /**
   * @param stop aborts the attempt in progress and prevents further ones
   * @throws Problem if the host cannot be reached, rejects the login or shows a wrong key; Stopped
   */
  connect(target: Target, stop?: AbortSignal): Promise<Connection>
}
