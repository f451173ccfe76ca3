import { execFile } from 'node:child_process'
import { type SshConfig, SshConfigReader } from '../ssh/config.ts'
import { type ConnectionTimeouts, type SshOptions, splitPaths, timeouts, unknownHostKeys } from '../ssh/settings.ts'
import type { Target } from '../transport.ts'

/** Command line arguments. */
export type Arguments = readonly string[]

/** No interactive options: ssh runs in BatchMode, so a run never hangs at an invisible prompt. */
export interface OpensshOptions extends SshOptions {
  /** @default 'ssh' */
  readonly program?: string | undefined
}

/** The command line for a login to one host, and its limits. */
export interface LoginCommand extends ConnectionTimeouts {
  readonly target: Target
  readonly program: string
  /** The options and the host. */
  readonly args: Arguments
}

/** Creates the command lines of logins. ssh reads its own configuration, which is queried only for settings that we override. */
export class LoginCommands {
  readonly #options: OpensshOptions
  readonly #config: SshConfigReader

  constructor(options: OpensshOptions) {
    this.#options = options
    this.#config = new SshConfigReader({ file: options.configFile, ssh: options.program })
  }

  /** @param proxyCommand leads through the last jump host, if any */
  async create(target: Target, proxyCommand: string | undefined, stop?: AbortSignal): Promise<LoginCommand> {
    const options = this.#options
    const { host, port } = target
    const user = target.user ?? options.user
    const query = { ...target, user, stop }
    const [config, aliased] = await Promise.all([this.#config.read(query), this.#config.aliased(query)])
    const { connectTimeout, loginTimeout, ...limits } = timeouts({ target, config, options })
    // ssh counts in seconds.
    const keepalive = { ...limits.keepalive, interval: 1000 * seconds(limits.keepalive.interval) }
    const unknown = unknownHostKeys({ target, config, options })
    const args = [
      ...flag('-F', options.configFile),
      ...flag('-l', user),
      ...flag('-p', port === undefined ? undefined : String(port)),
      ...asArguments({
        // For ssh this is the limit of the connection, the greeting and the key exchange together.
        ConnectTimeout: String(seconds(connectTimeout + loginTimeout)),
        ServerAliveInterval: String(seconds(keepalive.interval)),
        ServerAliveCountMax: String(keepalive.misses),
        StrictHostKeyChecking: unknown === 'accept' ? 'accept-new' : 'yes',
        ...this.#files(target),
        // Without jump hosts in the inventory, ssh_config decides.
        ProxyCommand: proxyCommand ?? (target.proxyJump === undefined ? undefined : 'none'),
        ...FIXED,
      }),
      ...aliasArguments(aliased),
      ...['--', host],
    ]
    return { target, program: options.program ?? 'ssh', args, connectTimeout, loginTimeout, keepalive }
  }

  #files({ identityFile, hostKey, knownHosts: own }: Target): Options {
    const { identityFiles, agent, knownHosts } = this.#options
    const identities = identityFile === undefined ? identityFiles : [identityFile]
    return {
      IdentityFile: identities?.length === 0 ? 'none' : identities,
      IdentityAgent: agent === false ? 'none' : agent,
      ...(hostKey === undefined && { UserKnownHostsFile: pathList(knownHosts) ?? pathList(own) }),
      ...(knownHosts && hostKey === undefined && { GlobalKnownHostsFile: NO_FILE }),
    }
  }
}

/** For ssh the first value of an option applies: these override its configuration. */
const FIXED = {
  BatchMode: 'yes',
  ControlMaster: 'yes',
  ControlPersist: 'no',
  ClearAllForwardings: 'yes',
  PermitLocalCommand: 'no',
  RemoteCommand: 'none',
  // The last message of a connection that ends has this level.
  LogLevel: 'INFO',
} as const

const NO_FILE = '/dev/null'

export function pathList(paths: readonly string[] | undefined): string | undefined {
  return paths && (paths.map((path) => `"${path.replaceAll('%', '%%')}"`).join(' ') || NO_FILE)
}

type Options = Readonly<Record<string, string | readonly string[] | undefined>>

export function asArguments(options: Options): Arguments {
  return Object.entries(options).flatMap(([name, value]) =>
    [value ?? []].flat().flatMap((one) => ['-o', `${name}=${one}`]),
  )
}

/** The settings of an alias. ssh itself gets the address only, so they are given as options. A HostKeyAlias cannot be unset this way. */
export function aliasArguments(aliased: SshConfig): Arguments {
  return asArguments(
    Object.fromEntries(
      [...aliased].map(([keyword, values]) => [
        keyword,
        values.length === 0 && keyword.startsWith('proxy') ? 'none' : values.map((value) => quoted(keyword, value)),
      ]),
    ),
  )
}

function quoted(keyword: string, value: string): string {
  if (/^(user|global)knownhostsfile$/.test(keyword))
    return splitPaths(value)
      .map((path) => `"${path}"`)
      .join(' ')
  return /^(identityfile|certificatefile|identityagent)$/.test(keyword) ? `"${value}"` : value
}

function flag(name: string, value: string | undefined): Arguments {
  return value === undefined ? [] : [name, value]
}

function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000))
}

/**
 * Options that accept one host key by its fingerprint: no known_hosts file is read, and the KnownHostsCommand returns the presented key if
 * its fingerprint matches. One set of options per key type. Needs OpenSSH 8.5; older versions report an error.
 */
export async function pinnedKeyArguments(program: string, pin: string): Promise<readonly Arguments[]> {
  const command = `/bin/sh -c '${RETURN_PINNED}' sh ${pin.replace(/=+$/, '')} %f %H %t %K`
  const common = asArguments({
    KnownHostsCommand: command,
    UserKnownHostsFile: NO_FILE,
    GlobalKnownHostsFile: NO_FILE,
    StrictHostKeyChecking: 'yes',
    // Each of these could accept another key.
    VerifyHostKeyDNS: 'no',
    GSSAPIKeyExchange: (await supportsKerberos(program)) ? 'no' : undefined,
    UpdateHostKeys: 'no',
  })
  return KEY_TYPES.map((algorithms) => [...common, '-o', `HostKeyAlgorithms=${algorithms}`])
}

/** Writes to stderr a line that `opensshError` reads. Before the connection, ssh calls it with NONE. No quotes or percent signs in here. */
const RETURN_PINNED = 'if [ $1 = $2 ]; then echo $3 $4 $5; else [ $2 = NONE ] || echo shown: $4 $2 >&2; fi'

/** Without certificates: the fingerprint is the key's. */
const KEY_TYPES = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521',
  'rsa-sha2-512,rsa-sha2-256',
]

/** Builds without Kerberos reject the option. */
function supportsKerberos(program: string): Promise<boolean> {
  const known = kerberos.get(program)
  if (known) return known
  const answer = new Promise<boolean>((resolve) => {
    execFile(program, ['-Q', 'kex-gss'], (error, stdout) => resolve(!error && stdout !== ''))
  })
  kerberos.set(program, answer)
  return answer
}

const kerberos = new Map<string, Promise<boolean>>()
