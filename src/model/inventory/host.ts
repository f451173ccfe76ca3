import type { Duration } from '../../shell/duration.ts'
import type { Secret } from '../../shell/secret.ts'

/** How a host is reached, where that differs from its address and from the user's own ssh_config. */
export interface Ssh {
  /**
   * `openssh`: the user's own ssh, for what ssh2 cannot do: certificates, hardware keys, Kerberos, ProxyCommand. `local`: the machine
   * that provision runs on is the host. @default what --transport says, else 'ssh2'
   */
  readonly transport?: 'ssh2' | 'openssh' | 'local'
  /**
   * Where to connect: a name, an address, or an alias of ssh_config. @default the host's address; a `Host` block of ssh_config for the
   * host's name in the inventory counts then, too, but for its HostName
   */
  readonly host?: string
  readonly port?: number
  readonly user?: string
  /** Path of a private key, tried before those of ssh_config, as with `ssh -i`. @default those that ssh_config and the agent offer */
  readonly identityFile?: string
  /** The only key to accept, as `SHA256:…`. @default what known_hosts says */
  readonly hostKey?: string
  /**
   * What to do with the key of a host that is not known: `accept-new` adds it to known_hosts. A changed key is refused in any case.
   * @default StrictHostKeyChecking of ssh_config, else 'strict'
   */
  readonly hostKeys?: 'strict' | 'accept-new'
  /** Paths of the known_hosts files to read instead of those of ssh_config; new keys go to the first. @default ssh_config's UserKnownHostsFile */
  readonly knownHosts?: readonly string[]
  /** The limit of the TCP connection. @default ConnectTimeout of ssh_config, else 10 s */
  readonly connectTimeout?: Duration
  /** The host to go through, or several, the nearest first; `[]` for none. @default ssh_config's ProxyJump */
  readonly proxyJump?: JumpHost | readonly JumpHost[]
}

/** A host on the way to others. */
export interface JumpHost extends Omit<Ssh, 'proxyJump' | 'transport'> {
  readonly host: string
}

/** How to become root on a host. */
export interface Become {
  /** `none` for a user that is root already. @default 'sudo' */
  readonly method?: 'sudo' | 'su' | 'doas' | 'none'
  /** The password that sudo or su asks for. doas takes one from a terminal only. */
  readonly password?: Secret
}

/** Limits of sessions. They are for the whole site, for a group or for a host. docs/timeouts.md lists them all. */
export interface Timeouts {
  /** Multiplies every limit. `--timeout-factor` replaces it. @default 1 */
  readonly factor?: number
  /** How long a host may send no byte during a login. @default '60s' */
  readonly login?: Duration
  /** How long a connected host may send no byte. @default ServerAliveInterval of ssh_config, else 60 s */
  readonly keepalive?: Duration
  /** How long a shell, with sudo where it is used, may take to answer. @default '60s' */
  readonly shell?: Duration
  /** How long a host waits for a new connection before it restores the old files of a transaction. @default '60s' */
  readonly confirm?: Duration
  /** How long one of the questions of a run, such as a kind's `read` or `unless`, may take. @default '60s' */
  readonly read?: Duration
  /** How long a check may take that has no `within` of its own. @default '10s' */
  readonly check?: Duration
  /** How long a probe may take that has no `within` of its own. @default '30s' */
  readonly probe?: Duration
}

/** What is known of each host, whatever its group. */
export interface HostConnection {
  /** Where its peers reach it. */
  readonly address: string
  readonly ssh?: Ssh
  readonly become?: Become
  readonly timeouts?: Timeouts
}

/** A host of an inventory, with the vars of its group. */
export type Host<V = unknown> = HostConnection & { readonly name: string; readonly group: string } & V

/** The hosts of one tier. */
export interface Group<H extends Host = Host> {
  readonly name: string
  readonly hosts: readonly H[]
  /** All but one. */
  readonly without: (host: Host) => readonly H[]
  /** The one host for which this holds. @throws Error when there is none, or more than one */
  readonly only: (holds: (host: H) => boolean) => H
}

/**
 * A group made by hand, for tests and for a part of another group. An inventory makes those of its stack.
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
        throw new Error(
          `${name}: ${second ? 'more than one host does' : 'no host does'}, where one was asked for`,
        )
      return one
    },
  })
}
