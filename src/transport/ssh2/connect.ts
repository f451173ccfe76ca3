import type { Clock } from '../clock.ts'
import type { Semaphore } from '../concurrency.ts'
import { Unreachable } from '../errors.ts'
import { loginWithRetries } from '../ssh/retry.ts'
import { SshClient } from './client.ts'
import { connectError } from './errors.ts'
import { type AskHostKey, HostKeyCheck } from './host-key.ts'
import type { AuthMethods, Keyring } from './identity.ts'
import type { KnownHosts } from './known-hosts.ts'
import { LoginFailed, login } from './login.ts'
import type { LoginSettings } from './settings.ts'
import { openSocket, openTunnel } from './socket.ts'

interface ConnectParts {
  readonly settings: LoginSettings
  /** The login at the last jump host, if any. */
  readonly through: SshClient | undefined
  readonly knownHosts: KnownHosts
  readonly keyring: Keyring
  readonly ask: AskHostKey | undefined
  readonly warn: (text: string) => void
  /** Limits concurrent logins. */
  readonly semaphore: Semaphore
  readonly clock: Clock
  readonly stop: AbortSignal | undefined
  /** Further attempts at a host that closes the connection before the greeting. */
  readonly retries: number
}

/** Connects and logs in to one host. @throws Problem */
export async function connect(parts: ConnectParts): Promise<SshClient> {
  const { settings, through, knownHosts, keyring, semaphore, retries, stop } = parts
  const check = await HostKeyCheck.prepare(settings, knownHosts)
  const auth = await keyring.authMethods(settings)
  const attempt = () =>
    connectOnce(parts, { check, auth }).catch((error: unknown) => {
      throw connectError(error, { settings, through: through?.settings, notes: auth.notes })
    })
  return loginWithRetries(attempt, { semaphore, retries, timeout: settings.loginTimeout, stop })
}

async function connectOnce(
  { settings, through, ask, warn, clock, stop }: ConnectParts,
  { check, auth }: { check: HostKeyCheck; auth: AuthMethods },
): Promise<SshClient> {
  let firstError: unknown
  for (const algorithms of check.offers()) {
    const socket = await (through ? openTunnel(through, settings, clock) : openSocket(settings, { clock, stop }))
    try {
      const verifyHostKey = (key: Buffer) => check.verify(key, ask)
      const { methods: authMethods } = auth
      const loggedIn = await login({ settings, clock, stop, socket, algorithms, authMethods, verifyHostKey })
      const client = new SshClient({ settings, clock, client: loggedIn.client, socket, through })
      // As with OpenSSH, a key that cannot be saved is accepted for this connection.
      await loggedIn
        .remember?.()
        .catch((error: Error) => warn(`The host key of ${settings.name} was not saved: ${error.message}`))
      return client
    } catch (error) {
      // With a pinned key, the next key type may match; if none does, the error of the first is reported.
      firstError = firstError instanceof Unreachable ? firstError : error
      if (!isAboutKeyType(error)) throw error
    }
  }
  throw firstError
}

function isAboutKeyType(error: unknown): boolean {
  if (error instanceof Unreachable) return error.reason === 'host-key'
  return error instanceof LoginFailed && /no matching host key/.test(String(error.cause))
}
