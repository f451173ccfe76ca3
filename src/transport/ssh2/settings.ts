import { homedir, userInfo } from 'node:os'
import { jumpsIn } from '../../shell/proxy-jump.ts'
import { Unreachable } from '../errors.ts'
import type { SshConfig } from '../ssh/config.ts'
import {
  type ConnectionTimeouts,
  configValue,
  type SettingsSources,
  splitPaths,
  timeouts,
  unknownHostKeys,
} from '../ssh/settings.ts'
import type { Target } from '../transport.ts'
import { knownHostsName } from './known-hosts.ts'

/** The settings for a login to one host, from the inventory, the options, ssh_config and the defaults, in this order. */
export interface LoginSettings extends ConnectionTimeouts {
  /** Its name in the inventory or in a ProxyJump, for messages. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly identities: Identities
  readonly hostKey: HostKeyRules
  /** The jump hosts, in the order in which they are passed. */
  readonly proxyJump: readonly Target[]
}

interface Identities {
  readonly files: readonly string[]
  /** True if the files were configured. Default files may be missing without a note. */
  readonly named: boolean
  /** True if agent keys that are not in `files` are not used. */
  readonly only: boolean
  /** The agent's socket. */
  readonly agent: string | undefined
}

interface HostKeyRules {
  /** The fingerprint in the inventory, `SHA256:…`. */
  readonly pin: string | undefined
  /** The host's name in known_hosts. */
  readonly name: string
  /** Looked up if `name` is unknown: a host on another port may be listed without it. */
  readonly plainName: string | undefined
  /** New keys are added to the first. */
  readonly userFiles: readonly string[]
  readonly globalFiles: readonly string[]
  readonly unknown: 'refuse' | 'ask' | 'accept'
  /** True if names in new lines are hashed. */
  readonly hash: boolean
  /** Allowed algorithms, the preferred first. @default those of ssh2 without SHA-1 */
  readonly algorithms: readonly string[] | undefined
}

/** `deploy@10.0.0.5:2222`. */
export function address({ user, host, port }: LoginSettings): string {
  return `${user}@${host.includes(':') ? `[${host}]` : host}${port === 22 ? '' : `:${port}`}`
}

/** @throws Unreachable for a setting of ssh_config that is not supported */
export function loginSettings(sources: SettingsSources): LoginSettings {
  const { target, config, options } = sources
  const value = (keyword: string) => configValue(config, keyword)
  if (target.proxyJump === undefined) assertUnset(target, 'ProxyCommand', value('proxycommand'))
  assertUnset(target, 'RevokedHostKeys', value('revokedhostkeys'))
  const host = value('hostname') ?? target.host
  const port = target.port ?? Number(value('port') ?? 22)
  const user = target.user ?? options.user ?? value('user') ?? userInfo().username
  const expand = expander({ target, host, port, user })
  return {
    name: target.name,
    host,
    port,
    user,
    identities: identities(sources, expand),
    hostKey: hostKeyRules(sources, { host, port, expand }),
    ...timeouts(sources),
    proxyJump: target.proxyJump ?? jumpsIn(value('proxyjump')).map((jump) => ({ name: jump.host, ...jump })),
  }
}

/** Rejects settings that change the reached or trusted host and that ssh2 does not support. */
function assertUnset(target: Target, keyword: keyof typeof INSTEAD, value: string | undefined): void {
  if (value === undefined) return
  throw new Unreachable(`ssh_config sets ${keyword} for ${target.name}, which ssh2 does not support`, {
    reason: 'settings',
    details: [`for ${target.host}: ${keyword} ${value}`],
    next: INSTEAD[keyword],
  })
}

const INSTEAD = {
  ProxyCommand: "Use ProxyJump, proxyJump in the inventory, or the transport 'openssh'.",
  RevokedHostKeys: "Add the keys to known_hosts with @revoked, or use the transport 'openssh'.",
} as const

function identities({ target, config, options }: SettingsSources, expand: (text: string) => string): Identities {
  const configured = config.get('identityfile') ?? []
  const isDefault = configured.every((file) => DEFAULT_KEYS.test(file))
  // As with `ssh -i`, the given key is tried first and those of ssh_config follow.
  const first = target.identityFile ? [target.identityFile] : options.identityFiles
  const files = first && [...new Set([...first, ...(isDefault ? [] : configured)])]
  return {
    files: (
      files ?? (isDefault ? ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `~/.ssh/${name}`) : configured)
    ).map(expand),
    named: files !== undefined || !isDefault,
    only: config.get('identitiesonly')?.[0] === 'yes',
    agent: options.agent === false ? undefined : (options.agent ?? configuredAgent(config, expand)),
  }
}

const DEFAULT_KEYS = /^~\/\.ssh\/id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/

function configuredAgent(config: SshConfig, expand: (text: string) => string): string | undefined {
  const socket = config.get('identityagent')?.[0]
  if (socket === 'none') return undefined
  if (!socket || socket === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK']
  return /^\$\w+$/.test(socket) ? process.env[socket.slice(1)] : expand(socket)
}

function hostKeyRules(
  sources: SettingsSources,
  { host, port, expand }: { host: string; port: number; expand: (text: string) => string },
): HostKeyRules {
  const { target, config, options } = sources
  const files = (keyword: string) => {
    const value = configValue(config, keyword)
    return value === undefined ? undefined : splitPaths(value).map(expand)
  }
  const alias = configValue(config, 'hostkeyalias')
  const none = config.get('userknownhostsfile')?.[0] === 'none'
  const defaults = ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'].map(expand)
  return {
    pin: target.hostKey,
    name: alias?.toLowerCase() ?? knownHostsName(host, port),
    plainName: alias === undefined && port !== 22 ? knownHostsName(host) : undefined,
    userFiles:
      options.knownHosts ?? target.knownHosts?.map(expand) ?? files('userknownhostsfile') ?? (none ? [] : defaults),
    globalFiles: options.knownHosts
      ? []
      : (files('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
    unknown: unknownHostKeys(sources),
    hash: config.get('hashknownhosts')?.[0] === 'yes',
    algorithms: configValue(config, 'hostkeyalgorithms')?.split(','),
  }
}

/** Expands the tokens of paths, which `ssh -G` prints unexpanded: `~/.ssh/%h`. */
function expander({
  target,
  host,
  port,
  user,
}: {
  target: Target
  host: string
  port: number
  user: string
}): (text: string) => string {
  const { username, homedir: home } = userInfo()
  const tokens: Record<string, string> = {
    '%%': '%',
    '%d': home,
    '%h': host,
    '%i': String(process.getuid?.() ?? ''),
    '%n': target.host,
    '%p': String(port),
    '%r': user,
    '%u': username,
  }
  return (text) =>
    text
      .replace(/^~(?=\/|$)/, home || homedir())
      .replace(/%[%a-zA-Z]/g, (token) => tokens[token] ?? token)
      .replace(/\$\{(\w+)\}/g, (_, name: string) => process.env[name] ?? '')
}
