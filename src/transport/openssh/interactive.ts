import { execFile } from 'node:child_process'
import { milliseconds } from '../../shell/duration.ts'
import { quote } from '../../shell/sh.ts'
import { SshConfigReader } from '../ssh/config.ts'
import type { Target } from '../transport.ts'
import { type Arguments, aliasArguments, asArguments, pathList, pinnedKeyArguments } from './options.ts'

interface InteractiveOptions {
  readonly acceptNewHostKeys?: boolean
  /** @default that of the user */
  readonly config?: SshConfigReader
}

/**
 * The arguments with which the user's own `ssh` connects to a host as the inventory says: user, port, key, pinned host key and jump hosts.
 * ssh's own configuration decides the rest, and may prompt for passwords and unknown host keys.
 */
export async function interactiveArguments(target: Target, options: InteractiveOptions = {}): Promise<Arguments> {
  const { host, port, user, identityFile, connectTimeout, hostKey, timeouts } = target
  const newKeys = options.acceptNewHostKeys ? 'accept-new' : target.hostKeys
  const args = [
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...asArguments({
      IdentityFile: identityFile,
      ConnectTimeout:
        connectTimeout === undefined
          ? undefined
          : String(Math.ceil((milliseconds(connectTimeout) * (timeouts?.factor ?? 1)) / 1000)),
      StrictHostKeyChecking: newKeys === 'strict' ? undefined : newKeys,
      UserKnownHostsFile: hostKey === undefined ? pathList(target.knownHosts) : undefined,
      ProxyCommand: await proxyCommand(target, options),
    }),
    ...aliasArguments(await (options.config ?? new SshConfigReader()).aliased(target)),
    '--',
    host,
  ]
  return hostKey === undefined ? args : [...(await pinnedKey(hostKey, args)), ...args]
}

/** A command through the inventory's jump hosts, the last one first. Without them, ssh's configuration decides. */
async function proxyCommand({ proxyJump }: Target, options: InteractiveOptions): Promise<string | undefined> {
  if (proxyJump === undefined) return undefined
  const last = proxyJump.at(-1)
  if (!last) return 'none'
  const before = proxyJump.length > 1 ? { proxyJump: proxyJump.slice(0, -1) } : {}
  const args = await interactiveArguments({ ...last, ...before }, options)
  const command = ['ssh', '-W', '[%h]:%p', ...args]
  return command.map((word) => quote(word === '[%h]:%p' ? word : word.replaceAll('%', '%%'))).join(' ')
}

/**
 * The options for a pinned host key. A fingerprint does not show its key type, and a server presents one key per login: the type is the
 * first with which ssh gets to the authentication. If there is none, ssh itself reports the error.
 */
async function pinnedKey(hostKey: string, args: Arguments): Promise<Arguments> {
  const keyTypes = await pinnedKeyArguments('ssh', hostKey)
  for (const keyType of keyTypes) if (await isAccepted([...keyType, ...args])) return keyType
  return keyTypes[0] ?? []
}

function isAccepted(args: Arguments): Promise<boolean> {
  const noLogin = ['-o', 'BatchMode=yes', '-o', 'PreferredAuthentications=none']
  return new Promise((resolve) => {
    execFile('ssh', [...noLogin, ...args, 'true'], (error, _stdout, stderr) =>
      resolve(!error || /Permission denied/.test(stderr)),
    )
  })
}
