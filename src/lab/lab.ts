import type { CommandResult } from './run.ts'
import type { HostStatus } from './supervisor/control.ts'

/** Real Debian hosts on this machine, each with systemd, sshd and apt, in a network of their own. */
export interface Lab {
  readonly name: string
  /** Where it keeps its state, key, ssh configuration and disks. */
  readonly directory: string
  readonly hosts: readonly LabHost[]
  /** The host of that name. A `Problem` with the nearest names when there is none. */
  host(name: string): LabHost
  /** The address that the balancers move between them. */
  readonly vip: string
  /** The ports of 127.0.0.1 that lead to the VIP's 443 and 80. */
  readonly ports: { readonly https: number; readonly http: number }
  /** A random password, made when it is first asked for, the same for as long as the lab lives. */
  secret(name: string): string
  /** The path of a file for `ssh -F`, which knows the hosts by name. */
  readonly sshConfig: string

  status(): Promise<readonly HostStatus[]>
  /**
   * Keeps a copy of the lab: its hosts' disks, its key and secrets. Hosts that run are powered off for it, and switched on again.
   * `upLab({ from })` makes a lab of it.
   *
   * @param log is told of each step that takes long
   * @throws Problem when there is a snapshot of that name, or no room for it
   */
  snapshot(name: string, log?: (line: string) => void): Promise<void>
  /** Runs a shell command as root on a host, without ssh: to look at what a run did from outside of it. */
  exec(host: string, command: string): Promise<CommandResult>

  /** Pulls the plug. Its disk stays as it is. */
  kill(host: string): Promise<void>
  /** Has it power itself off, and waits until it is off. */
  poweroff(host: string): Promise<void>
  /** Switches it on, and waits until its sshd answers. */
  start(host: string): Promise<void>
  /** Pulls the plug and switches it on again. */
  reset(host: string): Promise<void>
  /** Pulls its network cable. It runs on, and nobody reaches it, its ssh port on loopback included. */
  cut(host: string): Promise<void>
  uncut(host: string): Promise<void>
  /** Stops all its processes in mid-air; its kernel still answers pings and takes connections. */
  freeze(host: string): Promise<void>
  thaw(host: string): Promise<void>
  /** Keeps two hosts from one another; both are reached by all the others. */
  split(a: string, b: string): Promise<void>
  heal(a: string, b: string): Promise<void>
  /** A round trip of so many milliseconds to its sshd, from this machine (not from its peers). 0 takes it away. */
  delay(host: string, ms: number): Promise<void>
  /**
   * Limits its processor time, its reboots included, until {@link fast} or `lab up`. What {@link exec} starts is not limited.
   *
   * @param percent of one core, at least 1
   * @throws Problem when this machine cannot limit it
   */
  slow(host: string, percent: number): Promise<void>
  /** Takes that limit away. */
  fast(host: string): Promise<void>
  /** Leaves no byte free on its disk. */
  fillDisk(host: string): Promise<void>
  freeDisk(host: string): Promise<void>
}

/** A host of a lab, and how it is reached. Fits into an inventory, and into `converge` of provision-ts/testing. */
export interface LabHost {
  readonly name: string
  /** Where its peers reach it. */
  readonly address: string
  /** Where this machine reaches its sshd. */
  readonly ssh: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly identityFile: string
    /** The fingerprint of its key: `SHA256:…`. */
    readonly hostKey: string
  }
}
