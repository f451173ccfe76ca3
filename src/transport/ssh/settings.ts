import { milliseconds } from '../../shell/duration.ts'
import { type Clock, DEFAULTS, KEEPALIVE, type Keepalive, keepaliveWithin, scaledKeepalive } from '../clock.ts'
import type { Target } from '../transport.ts'
import type { SshConfig } from './config.ts'

/** Options of the SSH transports for all hosts. The inventory overrides them, and they override ssh_config and the defaults. */
export interface SshOptions {
  /** @default the user who runs this */
  readonly user?: string | undefined
  /** Private keys. @default ~/.ssh/id_ed25519, id_ecdsa, id_rsa */
  readonly identityFiles?: readonly string[] | undefined
  /** The agent's socket, or false for none. @default $SSH_AUTH_SOCK */
  readonly agent?: string | false | undefined
  /**
   * `strict`: an unknown host key is rejected, unless `ask` accepts it. `accept-new`: it is added to known_hosts. A changed or revoked key
   * is always rejected. @default StrictHostKeyChecking of ssh_config, else `strict`
   */
  readonly hostKeys?: 'strict' | 'accept-new' | undefined
  /** known_hosts files, instead of the usual ones; new keys are added to the first. */
  readonly knownHosts?: readonly string[] | undefined
  /** Read instead of ~/.ssh/config and /etc/ssh/ssh_config. */
  readonly configFile?: string | undefined
  /** Milliseconds until the TCP connection must be open. @default ConnectTimeout of ssh_config, else 10_000 */
  readonly connectTimeout?: number | undefined
  /** Milliseconds without a byte from the host after which a login fails. @default 60_000 */
  readonly loginTimeout?: number | undefined
  /** A host that is silent for `misses + 1` intervals is lost. @default every 3_000 ms, 19 misses: 60 s */
  readonly keepalive?: Keepalive | undefined
  /** Concurrent logins. @default 30 */
  readonly concurrency?: number | undefined
  /** Further attempts at a host that closes the connection before the greeting. @default 5 */
  readonly retries?: number | undefined
  /** Measures the limits. @default a new clock */
  readonly clock?: Clock | undefined
  /** Receives warnings. @default they are ignored */
  readonly warn?: ((text: string) => void) | undefined
}

/** The sources of a host's settings. */
export interface SettingsSources {
  readonly target: Target
  readonly config: SshConfig
  readonly options: SshOptions
}

/** The time limits of one host, in milliseconds. */
export interface ConnectionTimeouts {
  /** Until the TCP connection must be open. */
  readonly connectTimeout: number
  /** Without a byte from the host, after which a login fails. */
  readonly loginTimeout: number
  readonly keepalive: Keepalive
}

export function timeouts({ target, config, options }: SettingsSources): ConnectionTimeouts {
  const { factor = 1, login, keepalive: silence } = target.timeouts ?? {}
  const configured = Number(config.get('connecttimeout')?.[0]) || undefined
  const connect =
    target.connectTimeout ?? options.connectTimeout ?? (configured === undefined ? DEFAULTS.connect : 1000 * configured)
  const keepalive =
    silence === undefined ? (options.keepalive ?? configuredKeepalive(config)) : keepaliveWithin(milliseconds(silence))
  return {
    connectTimeout: factor * milliseconds(connect),
    loginTimeout: factor * milliseconds(login ?? options.loginTimeout ?? DEFAULTS.login),
    keepalive: scaledKeepalive(keepalive, factor),
  }
}

function configuredKeepalive(config: SshConfig): Keepalive {
  const seconds = Number(config.get('serveraliveinterval')?.[0] ?? 0)
  const misses = Number(config.get('serveralivecountmax')?.[0] ?? 3)
  return seconds > 0 ? { interval: seconds * 1000, misses } : KEEPALIVE
}

/** The policy for unknown host keys. A changed key is rejected even if ssh_config allows it. */
export function unknownHostKeys({ target, config, options }: SettingsSources): 'refuse' | 'ask' | 'accept' {
  const hostKeys = options.hostKeys ?? target.hostKeys
  if (hostKeys === 'accept-new') return 'accept'
  if (hostKeys === 'strict') return 'ask'
  const value = config.get('stricthostkeychecking')?.[0]
  if (value === 'yes' || value === 'true') return 'refuse'
  if (value === 'no' || value === 'off' || value === 'false') {
    options.warn?.(
      `ssh_config sets StrictHostKeyChecking no for ${target.host}: treated as accept-new, a changed key is still rejected`,
    )
    return 'accept'
  }
  return value === 'accept-new' ? 'accept' : 'ask'
}

/** The value of a keyword, without those that mean none. */
export function configValue(config: SshConfig, keyword: string): string | undefined {
  const value = config.get(keyword)?.[0]
  return value === 'none' || value === '' ? undefined : value
}

/** Splits a list of files, which `ssh -G` prints without quotes. A path begins at the start, or with `/`, `~`, `%` or `$` after a space. */
export function splitPaths(value: string): readonly string[] {
  return /^[/~%$]/.test(value) ? value.split(/\s+(?=[/~%$])/) : value.split(/\s+/)
}
