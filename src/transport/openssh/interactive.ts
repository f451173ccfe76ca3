import { execFile } from 'node:child_process'
import { milliseconds } from '../../shell/duration.ts'
import { quote } from '../../shell/quote.ts'
import { SshConfigReader } from '../ssh/config.ts'
import type { Target } from '../transport.ts'
import { type Arguments, aliasOptions, asOptions, asPaths } from './arguments.ts'
import { pinnedHostKeyArguments } from './pin.ts'

/** What a person at the terminal says in addition. */
export interface InteractiveOptions {
  readonly acceptNewHostKeys?: boolean
  /** @default that of the user */
  readonly config?: SshConfigReader
}

/**
 * The words for the user's own `ssh` that lead a person to a host as the inventory says: user, port, key, pinnedHostKeyArguments host key and jump
 * hosts. What it says nothing of is left to ssh's own configuration, which may ask for passwords and about new keys.
 */
export async function interactiveArguments(
  target: Target,
  options: InteractiveOptions = {},
): Promise<Arguments> {
  const { host, port, user, identityFile, connectTimeout, hostKey, timeouts } = target
  const newKeys = options.acceptNewHostKeys ? 'accept-new' : target.hostKeys
  const words = [
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...asOptions({
      IdentityFile: identityFile,
      ConnectTimeout:
        connectTimeout === undefined
          ? undefined
          : String(Math.ceil((milliseconds(connectTimeout) * (timeouts?.factor ?? 1)) / 1000)),
      StrictHostKeyChecking: newKeys === 'strict' ? undefined : newKeys,
      UserKnownHostsFile: hostKey === undefined ? asPaths(target.knownHosts) : undefined,
      ProxyCommand: await way(target, options),
    }),
    ...aliasOptions(await (options.config ?? new SshConfigReader()).aliased(target)),
    '--',
    host,
  ]
  return hostKey === undefined ? words : [...(await pin(hostKey, words)), ...words]
}

/** The way of the inventory, the last jump host at its end. Where it says nothing, that of ssh's configuration. */
async function way({ proxyJump }: Target, options: InteractiveOptions): Promise<string | undefined> {
  if (proxyJump === undefined) return undefined
  const last = proxyJump.at(-1)
  if (!last) return 'none'
  const before = proxyJump.length > 1 ? { via: proxyJump.slice(0, -1) } : {}
  const words = await interactiveArguments({ ...last, ...before }, options)
  const command = ['ssh', '-W', '[%h]:%p', ...words]
  return command.map((word) => quote(word === '[%h]:%p' ? word : word.replaceAll('%', '%%'))).join(' ')
}

/**
 * A fingerprint does not tell the type of its key, and a server shows one key at a login: the type is the first with which ssh gets
 * as far as to be asked who it is. When there is none, ssh itself says what is wrong.
 */
async function pin(hostKey: string, words: Arguments): Promise<Arguments> {
  const ways = await pinnedHostKeyArguments('ssh', hostKey)
  for (const way of ways) if (await isVouchedFor([...way, ...words])) return way
  return ways[0] ?? []
}

function isVouchedFor(words: Arguments): Promise<boolean> {
  const nobody = ['-o', 'BatchMode=yes', '-o', 'PreferredAuthentications=none']
  return new Promise((resolve) => {
    execFile('ssh', [...nobody, ...words, 'true'], (error, _stdout, stderr) =>
      resolve(!error || /Permission denied/.test(stderr)),
    )
  })
}
