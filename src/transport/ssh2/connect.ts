import type { Clock } from '../clock.ts'
import type { Semaphore } from '../concurrency.ts'
import { throwIfStopped, Unreachable } from '../errors.ts'
import { retryDropped } from '../ssh/retry.ts'
import { SshClient } from './client.ts'
import { connectError } from './errors.ts'
import { type AskHostKey, HostKeyCheck } from './host-key.ts'
import type { AuthMethods, Keyring } from './identity.ts'
import type { KnownHosts } from './known-hosts-store.ts'
import { LoginFailed, login } from './login.ts'
import type { LoginSettings } from './settings.ts'
import { dial, TimedOut } from './socket.ts'
import { Tunnel } from './tunnel.ts'

export interface ConnectParts {
  readonly settings: LoginSettings
  /** The login at the jump host before, if any. */
  readonly through: SshClient | undefined
  readonly knownHosts: KnownHosts
  readonly keyring: Keyring
  readonly ask: AskHostKey | undefined
  readonly warn: (text: string) => void
  /** Logins that are under way at once. */
  readonly gate: Semaphore
  readonly clock: Clock
  readonly stop: AbortSignal | undefined
  /** Further attempts at a host that hangs up on us. */
  readonly retries: number
}

/** Logs in to one host; comes again to one that has too many guests. */
export async function connect(parts: ConnectParts): Promise<SshClient> {
  const { settings, through, knownHosts, keyring, gate, retries, stop } = parts
  throwIfStopped(stop)
  const check = await HostKeyCheck.prepare(settings, knownHosts)
  const proofs = await keyring.proofs(settings)
  return retryDropped(
    (begin) =>
      gate.pass(async () => {
        throwIfStopped(stop)
        begin()
        try {
          return await enter(parts, { check, proofs })
        } catch (error) {
          throw connectError(error, { settings, through: through?.settings, notes: proofs.notes })
        }
      }),
    { retries, timeout: settings.loginTimeout },
  )
}

async function enter(
  { settings, through, ask, warn, clock, stop }: ConnectParts,
  { check, proofs: { proofs } }: { check: HostKeyCheck; proofs: AuthMethods },
): Promise<SshClient> {
  let refusal: unknown
  for (const algorithms of check.offers()) {
    const socket = through
      ? await tunnel(through, settings, clock)
      : await dial({
          host: settings.host,
          port: settings.port,
          timeout: settings.connectTimeout,
          clock,
          stop,
        })
    try {
      const judge = (key: Buffer) => check.judge(key, ask)
      const { client, remember } = await login({ settings, clock, stop, socket, algorithms, proofs, judge })
      const connection = new SshClient({ settings, clock, client, socket, through })
      // As with OpenSSH, a key that cannot be written down is good for this once.
      await remember?.().catch((error: Error) =>
        warn(`the host key of ${settings.name} is not kept: ${error.message}`),
      )
      return connection
    } catch (error) {
      // With a pin, the next type of key may be the right one; what is said in the end is what was wrong with the first.
      refusal = refusal instanceof Unreachable ? refusal : error
      if (!isAboutKeyType(error)) throw error
    }
  }
  throw refusal
}

function isAboutKeyType(error: unknown): boolean {
  if (error instanceof Unreachable) return error.reason === 'host-key'
  return error instanceof LoginFailed && /no matching host key/.test(String(error.cause))
}

async function tunnel(
  through: SshClient,
  { host, port, connectTimeout }: LoginSettings,
  clock: Clock,
): Promise<Tunnel> {
  const opening = through.forward(host, port)
  const over = new AbortController()
  const tooLong = clock.wait(connectTimeout, over.signal).then(() => {
    throw new TimedOut()
  })
  // After the race nobody listens.
  tooLong.catch(() => {})
  try {
    return new Tunnel(await Promise.race([opening, tooLong]), () => through.acknowledge())
  } catch (error) {
    opening.then(
      (channel) => channel.destroy(),
      () => {},
    )
    throw error
  } finally {
    over.abort()
  }
}
