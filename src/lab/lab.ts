import { Problem } from '../model/problem.ts'
import { checkPercent } from './base/cgroups.ts'
import { locked } from './base/lock.ts'
import { byName, checkName, labPaths } from './base/paths.ts'
import { type CommandResult, tryRun } from './base/run.ts'
import { labSecret } from './base/secrets.ts'
import { isUp, type LabState, readState } from './base/state.ts'
import { nsenterCommand } from './hosts/nspawn.ts'
import { DEPLOY } from './image/base-contents.ts'
import { DEFAULT_NAME, VIP } from './network/addresses.ts'
import { type Calls, call, type HostStatus, type HostVerb } from './supervisor/control.ts'

/** Real Debian hosts on this machine, each with systemd, sshd and apt, in their own network. */
export interface Lab {
  readonly name: string
  /** The directory of its state, key, ssh configuration and disks. */
  readonly directory: string
  readonly hosts: readonly LabHost[]
  /** @throws Problem with similar names if there is no such host */
  host(name: string): LabHost
  /** The virtual IP address of the balancers. */
  readonly vip: string
  /** The ports of 127.0.0.1 that forward to ports 443 and 80 of the VIP. */
  readonly ports: { readonly https: number; readonly http: number }
  /** A random password of this name, created at its first use and kept for the lifetime of the lab. */
  secret(name: string): string
  /** The path of a file for `ssh -F` that lists the hosts by name. */
  readonly sshConfig: string

  status(): Promise<readonly HostStatus[]>
  /**
   * Copies the lab: its hosts' disks, its key and secrets. Running hosts are powered off for the copy and on again.
   * `upLab({ from })` creates a lab from it.
   *
   * @param log receives a message for each long step
   * @throws Problem if the snapshot exists, or if there is no space for it
   */
  snapshot(name: string, log?: (line: string) => void): Promise<void>
  /** Runs a shell command as root on a host, without ssh: to inspect the result of a run independently. */
  exec(host: string, command: string): Promise<CommandResult>

  /** Cuts its power. Its disk stays as it is. */
  kill(host: string): Promise<void>
  /** Shuts it down cleanly and waits until it is off. */
  poweroff(host: string): Promise<void>
  /** Powers it on and waits until its sshd answers. */
  start(host: string): Promise<void>
  /** Cuts its power and powers it on again. */
  reset(host: string): Promise<void>
  /** Disconnects its network. It keeps running but is not reachable, not even by its ssh port on loopback. */
  cut(host: string): Promise<void>
  uncut(host: string): Promise<void>
  /** Freezes all its processes; its kernel still answers pings and accepts connections. */
  freeze(host: string): Promise<void>
  thaw(host: string): Promise<void>
  /** Blocks traffic between two hosts. Both reach all others. */
  split(a: string, b: string): Promise<void>
  heal(a: string, b: string): Promise<void>
  /** Adds a round-trip time in milliseconds from this machine (not from its peers) to its sshd. 0 removes it. */
  delay(host: string, ms: number): Promise<void>
  /**
   * Limits its CPU time, across reboots, until {@link fast} or `lab up`. Processes of {@link exec} are not limited.
   *
   * @param percent of one core, at least 1
   * @throws Problem if this machine cannot limit it
   */
  slow(host: string, percent: number): Promise<void>
  /** Removes the limit of {@link slow}. */
  fast(host: string): Promise<void>
  /** Fills its disk. */
  fillDisk(host: string): Promise<void>
  freeDisk(host: string): Promise<void>
}

/** A host of a lab and its connection settings. Usable in an inventory and with `converge` of provision-ts/testing. */
export interface LabHost {
  readonly name: string
  /** Its address in the lab's network. */
  readonly address: string
  /** The connection from this machine to its sshd. */
  readonly ssh: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly identityFile: string
    /** The fingerprint of its key: `SHA256:…`. */
    readonly hostKey: string
  }
}

/**
 * Opens the lab of that name, which must be up.
 *
 * @example
 * const lab = openLab('mine')
 * await lab.exec('web1', 'systemctl is-active nginx')
 */
export function openLab(name: string = DEFAULT_NAME): Lab {
  const state = readState(checkName('lab', name))
  if (isUp(state)) return new OpenLab(state)
  const flag = name === DEFAULT_NAME ? '' : ` --name ${name}`
  throw new Problem(`The lab "${name}" is not up.`, { next: `provision lab up${flag}` })
}

class OpenLab implements Lab {
  readonly name: string
  readonly directory: string
  readonly hosts: readonly LabHost[]
  readonly vip = VIP
  readonly ports: Lab['ports']
  readonly sshConfig: string
  readonly #socket: string

  constructor({ name, hosts, ports }: LabState) {
    const { directory, sshConfig, socket, key } = labPaths(name)
    this.name = name
    this.directory = directory
    this.ports = ports
    this.sshConfig = sshConfig
    this.#socket = socket
    this.hosts = hosts.map(({ name, address, port, hostKey }) => ({
      name,
      address,
      ssh: { host: '127.0.0.1', port, user: DEPLOY, identityFile: key, hostKey },
    }))
  }

  host(name: string): LabHost {
    return byName(this.hosts, name, this.name)
  }

  secret(name: string): string {
    return labSecret(this.name, name)
  }

  status(): Promise<readonly HostStatus[]> {
    return this.#call('status', null)
  }

  async exec(host: string, command: string): Promise<CommandResult> {
    const { leader } = byName(await this.status(), host, this.name)
    if (leader === undefined) throw new Problem(`"${host}" is off.`, { next: `provision lab start ${host}` })
    const [program = '', ...args] = nsenterCommand(leader, ['/bin/sh', '-c', command])
    return tryRun(program, args)
  }

  async snapshot(name: string, log?: (line: string) => void): Promise<void> {
    checkName('snapshot', name)
    // No other process may bring the lab up or down meanwhile.
    await locked({ name: this.name }, () => this.#call('snapshot', { snapshot: name }, log))
  }

  readonly kill = (host: string) => this.#act('kill', host)
  readonly poweroff = (host: string) => this.#act('poweroff', host)
  readonly start = (host: string) => this.#act('start', host)
  readonly reset = (host: string) => this.#act('reset', host)
  readonly cut = (host: string) => this.#act('cut', host)
  readonly uncut = (host: string) => this.#act('uncut', host)
  readonly freeze = (host: string) => this.#act('freeze', host)
  readonly thaw = (host: string) => this.#act('thaw', host)
  readonly fillDisk = (host: string) => this.#act('fillDisk', host)
  readonly freeDisk = (host: string) => this.#act('freeDisk', host)

  async split(a: string, b: string): Promise<void> {
    await this.#call('split', { a, b, apart: true })
  }

  async heal(a: string, b: string): Promise<void> {
    await this.#call('split', { a, b, apart: false })
  }

  async delay(host: string, ms: number): Promise<void> {
    await this.#call('delay', { host, ms })
  }

  async slow(host: string, percent: number): Promise<void> {
    await this.#call('slow', { host, percent: checkPercent(percent) })
  }

  async fast(host: string): Promise<void> {
    await this.#call('slow', { host, percent: null })
  }

  async #act(verb: HostVerb, host: string): Promise<void> {
    await this.#call('act', { verb, host })
  }

  #call<K extends keyof Calls>(
    verb: K,
    args: Calls[K]['args'],
    log?: (line: string) => void,
  ): Promise<Calls[K]['result']> {
    return call(this.#socket, verb, args, log)
  }
}
