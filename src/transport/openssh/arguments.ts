import { type SshConfig, SshConfigReader } from '../ssh/config.ts'
import { pathsIn, timeouts, unknownKeys } from '../ssh/settings.ts'
import type { Keepalive } from '../ssh2/settings.ts'
import type { Target } from '../transport.ts'
import type { Master } from './master.ts'
import type { OpensshOptions } from './transport.ts'

/** Arguments of a command line. */
export type Arguments = readonly string[]

/** All that is needed to log in to one host. */
export interface Login {
  readonly target: Target
  readonly through: Master | undefined
  readonly program: string
  /** The options and the host. */
  readonly words: Arguments
  /** Milliseconds until a TCP connection is open. */
  readonly connectTimeout: number
  /** Milliseconds that the rest of a login may take. */
  readonly loginTimeout: number
  readonly keepalive: Keepalive
}

/** What ssh is told. It reads its own configuration; that is asked for here only where we do not let it have its way. */
export class OpensshArguments {
  readonly #options: OpensshOptions
  readonly #config: SshConfigReader

  constructor(options: OpensshOptions) {
    this.#options = options
    const { configFile: file, program: ssh } = options
    this.#config = new SshConfigReader({
      ...(file !== undefined && { file }),
      ...(ssh !== undefined && { ssh }),
    })
  }

  async login(target: Target, through: Master | undefined, stop?: AbortSignal): Promise<Login> {
    const { program = 'ssh', warn = () => {} } = this.#options
    const { host, alias, port } = target
    const user = target.user ?? this.#options.user
    const asked = {
      host,
      ...(alias !== undefined && { alias }),
      ...(user && { user }),
      ...(port !== undefined && { port }),
      ...(stop && { stop }),
    }
    const [config, aliased] = await Promise.all([this.#config.read(asked), this.#config.aliased(asked)])
    const { connectTimeout, loginTimeout, ...limits } = timeouts({ target, config, defaults: this.#options })
    const { interval, misses } = limits.keepalive
    const alive = { interval: 1000 * seconds(interval), misses }
    const unknown = unknownKeys(target, { config, defaults: this.#options, warn })
    const options: Options = {
      // For ssh this is the limit of the connection, the greeting and the key exchange together.
      ConnectTimeout: String(seconds(connectTimeout + loginTimeout)),
      ServerAliveInterval: String(seconds(alive.interval)),
      ServerAliveCountMax: String(alive.misses),
      StrictHostKeyChecking: unknown === 'accept' ? 'accept-new' : 'yes',
      ...this.#files(target),
      ...way(target, through),
      ...OURS,
    }
    const words = [
      ...flag('-F', this.#options.configFile),
      ...flag('-l', user),
      ...flag('-p', port === undefined ? undefined : String(port)),
      ...asOptions(options),
      ...aliasOptions(aliased),
    ]
    return {
      target,
      through,
      program,
      words: [...words, '--', host],
      connectTimeout,
      loginTimeout,
      keepalive: alive,
    }
  }

  #files({ identityFile, hostKey, knownHosts: own }: Target): Options {
    const { identityFiles, agent, knownHosts } = this.#options
    const identities = identityFile === undefined ? identityFiles : [identityFile]
    return {
      IdentityFile: identities?.length === 0 ? 'none' : identities,
      IdentityAgent: agent === false ? 'none' : agent,
      ...(hostKey === undefined && { UserKnownHostsFile: asPaths(knownHosts) ?? asPaths(own) }),
      ...(knownHosts && hostKey === undefined && { GlobalKnownHostsFile: NOWHERE }),
    }
  }
}

export function asPaths(paths: readonly string[] | undefined): string | undefined {
  return paths && (paths.map((path) => `"${path.replaceAll('%', '%%')}"`).join(' ') || NOWHERE)
}

export const NOWHERE = '/dev/null'

/** The first word on a matter holds, with ssh: these go before what its configuration says. */
const OURS = {
  BatchMode: 'yes',
  ControlMaster: 'yes',
  ControlPersist: 'no',
  ClearAllForwardings: 'yes',
  PermitLocalCommand: 'no',
  RemoteCommand: 'none',
  // The last words of a connection that dies are of this level.
  LogLevel: 'INFO',
} as const

/** The way of the inventory. Where it says nothing, that of ssh's configuration. */
function way({ proxyJump }: Target, through: Master | undefined): Options {
  if (through) return { ProxyCommand: through.passage }
  return proxyJump === undefined ? {} : { ProxyCommand: 'none' }
}

type Options = Readonly<Record<string, string | readonly string[] | undefined>>

export function asOptions(options: Options): Arguments {
  return Object.entries(options).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((one) => ['-o', `${name}=${one}`]),
  )
}

/** ssh itself is told the address alone: the settings of the alias go as options. A HostKeyAlias cannot be taken back so. */
export function aliasOptions(aliased: SshConfig): Arguments {
  return asOptions(
    Object.fromEntries(
      [...aliased].map(([keyword, values]) => [
        keyword,
        values.length === 0 && keyword.startsWith('proxy')
          ? 'none'
          : values.map((value) => quoted(keyword, value)),
      ]),
    ),
  )
}

function quoted(keyword: string, value: string): string {
  if (/^(user|global)knownhostsfile$/.test(keyword))
    return (pathsIn(value) ?? []).map((path) => `"${path}"`).join(' ')
  return /^(identityfile|certificatefile|identityagent)$/.test(keyword) ? `"${value}"` : value
}

function flag(name: string, value: string | undefined): Arguments {
  return value === undefined ? [] : [name, value]
}

/** ssh counts in whole seconds. */
function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000))
}
