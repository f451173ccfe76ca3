import type { Duration } from '../../shell/duration.ts'
import type { Secret } from '../../shell/secret.ts'

/** The connection settings of a host, if they differ from its address and the user's ssh_config. */
export interface Ssh {
  /**
   * `openssh`: the user's ssh, for features that ssh2 does not have: certificates, hardware keys, Kerberos, ProxyCommand. `local`: the host
   * is the machine that runs provision.
   * @default the value of --transport, else 'ssh2'
   */
  readonly transport?: 'ssh2' | 'openssh' | 'local'
  /**
   * The name, address or ssh_config alias to connect to.
   * @default the host's address; a `Host` block of ssh_config for the host's name in the inventory then applies, too, except for its
   * HostName
   */
  readonly host?: string
  readonly port?: number
  readonly user?: string
  /** The path of a private key, tried before those of ssh_config, as with `ssh -i`. @default the keys of ssh_config and the agent */
  readonly identityFile?: string
  /** The only accepted host key, as `SHA256:…`. @default the keys in known_hosts */
  readonly hostKey?: string
  /**
   * The policy for unknown host keys: `accept-new` adds them to known_hosts. A changed key is always rejected.
   * @default StrictHostKeyChecking of ssh_config, else 'strict'
   */
  readonly hostKeys?: 'strict' | 'accept-new'
  /**
   * The paths of the known_hosts files to read instead of those of ssh_config; new keys are added to the first.
   * @default UserKnownHostsFile of ssh_config
   */
  readonly knownHosts?: readonly string[]
  /** The time limit of the TCP connection. @default ConnectTimeout of ssh_config, else 10 s */
  readonly connectTimeout?: Duration
  /** The jump host, or several, starting with the one nearest to this machine; `[]` for none. @default ProxyJump of ssh_config */
  readonly proxyJump?: JumpHost | readonly JumpHost[]
}

/** A host through which other hosts are reached. */
export interface JumpHost extends Omit<Ssh, 'proxyJump' | 'transport'> {
  readonly host: string
}

/** The method to become root on a host. */
export interface Become {
  /** `none` if the user is root. @default 'sudo' */
  readonly method?: 'sudo' | 'su' | 'doas' | 'none'
  /** The password for sudo or su. doas reads a password from a terminal only. */
  readonly password?: Secret
}

/** Time limits of sessions, for the whole site, a group or a host. docs/timeouts.md lists them all. */
export interface Timeouts {
  /** Multiplies every limit. `--timeout-factor` replaces it. @default 1 */
  readonly factor?: number
  /** The maximum time without received data during a login. @default '60s' */
  readonly login?: Duration
  /** The maximum time without received data after the login. @default ServerAliveInterval of ssh_config, else 60 s */
  readonly keepalive?: Duration
  /** The maximum time until a shell answers, including sudo if it is used. @default '60s' */
  readonly shell?: Duration
  /** The time that a host waits for a new connection before it restores the old files of a transaction. @default '60s' */
  readonly confirm?: Duration
  /** The time limit of a question of a run, such as a kind's `read` or `unless`. @default '60s' */
  readonly read?: Duration
  /** The time limit of a check without its own `timeout`. @default '10s' */
  readonly check?: Duration
  /** The time limit of a probe without its own `timeout`. @default '30s' */
  readonly probe?: Duration
}

/** The settings that every host has, in any group. */
export interface HostConnection {
  /** The address at which other hosts reach it. */
  readonly address: string
  readonly ssh?: Ssh
  readonly become?: Become
  readonly timeouts?: Timeouts
}

/** A host of an inventory, with the vars of its group. */
export type Host<V = unknown> = HostConnection & { readonly name: string; readonly group: string } & V

/** A group of hosts. */
export interface Group<H extends Host = Host> {
  readonly name: string
  readonly hosts: readonly H[]
  /** Returns all hosts except this one. */
  readonly without: (host: Host) => readonly H[]
  /** Returns the only host that matches. @throws Error if no host matches, or several */
  readonly only: (holds: (host: H) => boolean) => H
}

/**
 * Creates a group, for tests and for a part of another group. An inventory creates the groups of its schema.
 *
 * @example const first = group('web', web.hosts.slice(0, 1))
 */
export function group<H extends Host>(name: string, hosts: readonly H[]): Group<H> {
  return Object.freeze({
    name,
    hosts: Object.freeze([...hosts]),
    without: (host: Host) => hosts.filter((other) => other.name !== host.name),
    only: (holds: (host: H) => boolean) => {
      const [one, second] = hosts.filter(holds)
      if (!one || second)
        throw new Error(`${name}: ${second ? 'more than one host does' : 'no host does'}, where one was asked for`)
      return one
    },
  })
}
