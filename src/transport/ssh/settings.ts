import { homedir, userInfo } from 'node:os'
import { milliseconds } from '../../shell/duration.ts'
import { jumpsIn } from '../../shell/proxy-jump.ts'
import { Unreachable } from '../errors.ts'
import { knownHostsName } from '../ssh2/known-hosts.ts'
import type { HostKeyRules, Identities, LoginSettings } from '../ssh2/settings.ts'
import { DEFAULTS, KEEPALIVE, keepaliveWithin, scaledKeepalive } from '../timeouts.ts'
import type { Target } from '../transport.ts'
import type { SshConfig } from './config.ts'

/** What holds for all hosts of a run unless the inventory or ssh_config says otherwise. */
export interface Defaults {
  readonly user?: string | undefined
  readonly identityFiles?: readonly string[] | undefined
  /** The agent's socket, or false for none. @default $SSH_AUTH_SOCK */
  readonly agent?: string | false | undefined
  /** When given, it goes before ssh_config's StrictHostKeyChecking. */
  readonly hostKeys?: 'strict' | 'accept-new' | undefined
  readonly knownHosts?: readonly string[] | undefined
  readonly connectTimeout?: number | undefined
  readonly loginTimeout?: number | undefined
  readonly keepalive?: LoginSettings['keepalive'] | undefined
}

export interface SettingsParts {
  readonly target: Target
  readonly config: SshConfig
  readonly defaults: Defaults
  readonly warn: (text: string) => void
}

/** Puts together what the inventory, ssh_config and the defaults say of one host. */
export function loginSettings(parts: SettingsParts): LoginSettings {
  const { target, config, defaults, warn } = parts
  const one = (keyword: string) => given(config.get(keyword)?.[0])
  if (target.proxyJump === undefined) refuse(target, { keyword: 'ProxyCommand', value: one('proxycommand') })
  refuse(target, { keyword: 'RevokedHostKeys', value: one('revokedhostkeys') })
  const host = one('hostname') ?? target.host
  const port = target.port ?? Number(one('port') ?? 22)
  const user = target.user ?? defaults.user ?? one('user') ?? userInfo().username
  const expand = expander({ target, host, port, user })
  return {
    name: target.name,
    host,
    port,
    user,
    identities: identities(parts, expand),
    hostKey: hostKey({ target, config, defaults, warn }, { host, port, expand }),
    ...timeouts({ target, config, defaults }),
    proxyJump: target.proxyJump ?? jumpsIn(one('proxyjump')).map((jump) => ({ name: jump.host, ...jump })),
  }
}

/** The limits of one host. What the inventory says goes before the defaults of the run, they before ssh_config. */
export function timeouts({
  target,
  config,
  defaults,
}: Omit<SettingsParts, 'warn'>): Pick<LoginSettings, 'connectTimeout' | 'loginTimeout' | 'keepalive'> {
  const { factor = 1, login, keepalive: silence } = target.timeouts ?? {}
  const configured = Number(config.get('connecttimeout')?.[0]) || undefined
  const connect =
    target.connectTimeout ??
    defaults.connectTimeout ??
    (configured === undefined ? DEFAULTS.connect : 1000 * configured)
  const alive =
    silence === undefined ? (defaults.keepalive ?? keepalive(config)) : keepaliveWithin(milliseconds(silence))
  return {
    connectTimeout: factor * milliseconds(connect),
    loginTimeout: factor * milliseconds(login ?? defaults.loginTimeout ?? DEFAULTS.login),
    keepalive: scaledKeepalive(alive, factor),
  }
}

/** Settings that would change whom we reach or trust, and that we cannot follow. */
function refuse(
  target: Target,
  { keyword, value }: { keyword: keyof typeof INSTEAD; value: string | undefined },
): void {
  if (value === undefined) return
  throw new Unreachable(`ssh_config sets ${keyword} for ${target.name}, which we cannot follow`, {
    reason: 'settings',
    details: [`for ${target.host}: ${keyword} ${value}`],
    next: INSTEAD[keyword],
  })
}

const INSTEAD = {
  ProxyCommand: 'Use ProxyJump in ssh_config, or via in the inventory.',
  RevokedHostKeys: 'Put the keys into known_hosts with @revoked.',
} as const

function identities(
  { target, config, defaults }: SettingsParts,
  expand: (text: string) => string,
): Identities {
  const configured = config.get('identityfile') ?? []
  const usual = configured.every((file) => USUAL_KEYS.test(file))
  // As `ssh -i`: the given key is tried first, those of ssh_config follow.
  const first = target.identityFile ? [target.identityFile] : defaults.identityFiles
  const files = first && [...new Set([...first, ...(usual ? [] : configured)])]
  const socket = given(config.get('identityagent')?.[0])
  return {
    files: (
      files ?? (usual ? ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `~/.ssh/${name}`) : configured)
    ).map(expand),
    named: files !== undefined || !usual,
    only: config.get('identitiesonly')?.[0] === 'yes',
    agent: defaults.agent === false ? undefined : (defaults.agent ?? agentOf(socket, config, expand)),
  }
}

function agentOf(
  socket: string | undefined,
  config: SshConfig,
  expand: (text: string) => string,
): string | undefined {
  if (config.get('identityagent')?.[0] === 'none') return undefined
  if (socket === undefined || socket === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK']
  return /^\$\w+$/.test(socket) ? process.env[socket.slice(1)] : expand(socket)
}

function hostKey(
  { target, config, defaults, warn }: SettingsParts,
  { host, port, expand }: { host: string; port: number; expand: (text: string) => string },
): HostKeyRules {
  const files = (keyword: string) => pathsIn(given(config.get(keyword)?.[0]))?.map(expand)
  const alias = given(config.get('hostkeyalias')?.[0])
  const none = config.get('userknownhostsfile')?.[0] === 'none'
  const usual = ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'].map(expand)
  return {
    pin: target.hostKey,
    name: alias?.toLowerCase() ?? knownHostsName(host, port),
    plainName: alias === undefined && port !== 22 ? knownHostsName(host) : undefined,
    userFiles:
      defaults.knownHosts ??
      target.knownHosts?.map(expand) ??
      files('userknownhostsfile') ??
      (none ? [] : usual),
    globalFiles: defaults.knownHosts
      ? []
      : (files('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
    unknown: unknownKeys(target, { config, defaults, warn }),
    hash: config.get('hashknownhosts')?.[0] === 'yes',
    algorithms: given(config.get('hostkeyalgorithms')?.[0])?.split(','),
  }
}

/** What to do with the key of a new host. A changed one is refused even where ssh_config would let it pass. */
export function unknownKeys(
  target: Target,
  { config, defaults, warn }: Omit<SettingsParts, 'target'>,
): HostKeyRules['unknown'] {
  const asked = defaults.hostKeys ?? target.hostKeys
  if (asked === 'accept-new') return 'accept'
  if (asked === 'strict') return 'ask'
  const value = config.get('stricthostkeychecking')?.[0]
  if (value === 'yes' || value === 'true') return 'refuse'
  if (value === 'no' || value === 'off' || value === 'false') {
    warn(
      `ssh_config says StrictHostKeyChecking no for ${target.host}: taken as accept-new, a changed key is still refused`,
    )
    return 'accept'
  }
  return value === 'accept-new' ? 'accept' : 'ask'
}

function keepalive(config: SshConfig): LoginSettings['keepalive'] {
  const seconds = Number(config.get('serveraliveinterval')?.[0] ?? 0)
  const misses = Number(config.get('serveralivecountmax')?.[0] ?? 3)
  return seconds > 0 ? { interval: seconds * 1000, misses } : KEEPALIVE
}

/** `ssh -G` gives paths with their tokens: `~/.ssh/%h`. */
function expander(parts: {
  target: Target
  host: string
  port: number
  user: string
}): (text: string) => string {
  const { username, homedir: home } = userInfo()
  const { target, host, port, user } = parts
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

function given(value: string | undefined): string | undefined {
  return value === undefined || value === 'none' || value === '' ? undefined : value
}

/** `ssh -G` prints a list of files without quotes. A path begins at the start or with `/`, `~`, `%` or `$` behind a blank. */
export function pathsIn(value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  return /^[/~%$]/.test(value) ? value.split(/\s+(?=[/~%$])/) : value.split(/\s+/)
}

const USUAL_KEYS = /^~\/\.ssh\/id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/
