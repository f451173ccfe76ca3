import type { Clock } from './clock.ts'
import { comeAgain } from './come-again.ts'
import { Connection } from './connection.ts'
import { dial, TimedOut } from './dial.ts'
import { explain } from './explain.ts'
import type { Gate } from './gate.ts'
import type { Hop } from './hop.ts'
import { type AskHostKey, HostKeyCheck } from './host-key.ts'
import type { Keyring, Proofs } from './identity.ts'
import type { KnownHosts } from './known-hosts-store.ts'
import { LoginFailed, login } from './login.ts'
import { refuseStopped } from './stopped.ts'
import { Tunnel } from './tunnel.ts'
import { Unreachable } from './unreachable.ts'

export interface KnockParts {
  readonly hop: Hop
  /** The login at the jump host before, if any. */
  readonly through: Connection | undefined
  readonly knownHosts: KnownHosts
  readonly keyring: Keyring
  readonly ask: AskHostKey | undefined
  readonly warn: (text: string) => void
  /** Logins that are under way at once. */
  readonly gate: Gate
  readonly clock: Clock
  readonly stop: AbortSignal | undefined
  /** Further attempts at a host that hangs up on us. */
  readonly retries: number
}

/** Logs in to one host; comes again to one that has too many guests. */
export async function knock(parts: KnockParts): Promise<Connection> {
  const { hop, through, knownHosts, keyring, gate, retries, stop } = parts
  refuseStopped(stop)
  const check = await HostKeyCheck.prepare(hop, knownHosts)
  const proofs = await keyring.proofs(hop)
  return comeAgain(
    (begin) =>
      gate.pass(async () => {
        refuseStopped(stop)
        begin()
        try {
          return await enter(parts, { check, proofs })
        } catch (error) {
          throw explain(error, { hop, through: through?.hop, notes: proofs.notes })
        }
      }),
    { retries, timeout: hop.loginTimeout },
  )
}

async function enter(
  { hop, through, ask, warn, clock, stop }: KnockParts,
  { check, proofs: { proofs } }: { check: HostKeyCheck; proofs: Proofs },
): Promise<Connection> {
  let refusal: unknown
  for (const algorithms of check.offers()) {
    const socket = through
      ? await tunnel(through, hop, clock)
      : await dial({ host: hop.host, port: hop.port, timeout: hop.connectTimeout, clock, stop })
    try {
      const judge = (key: Buffer) => check.judge(key, ask)
      const { client, remember } = await login({ hop, clock, stop, socket, algorithms, proofs, judge })
      const connection = new Connection({ hop, clock, client, socket, through })
      // As with OpenSSH, a key that cannot be written down is good for this once.
      await remember?.().catch((error: Error) =>
        warn(`the host key of ${hop.name} is not kept: ${error.message}`),
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
  if (error instanceof Unreachable) return error.obstacle === 'host-key'
  return error instanceof LoginFailed && /no matching host key/.test(String(error.cause))
}

async function tunnel(
  through: Connection,
  { host, port, connectTimeout }: Hop,
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
