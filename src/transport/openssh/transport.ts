import { Clock } from '../clock.ts'
import { Semaphore } from '../concurrency.ts'
import { throwIfStopped, Unreachable } from '../errors.ts'
import { JumpHosts, type SharedLogin } from '../ssh/jump-hosts.ts'
import { retryDropped } from '../ssh/retry.ts'
import type { SshOptions } from '../ssh2/transport.ts'
import type { Target, Transport } from '../transport.ts'
import { type Arguments, type Login, OpensshArguments } from './arguments.ts'
import { OpensshConnection } from './connection.ts'
import { type Master, startMaster } from './master.ts'
import { pinnedHostKeyArguments } from './pin.ts'

/** What a person could be asked is left out: this ssh asks nobody, so that a run cannot wait for an answer that nobody sees it wants. */
export interface OpensshOptions extends Omit<SshOptions, 'password' | 'passphrase' | 'ask'> {
  /** @default 'ssh' */
  readonly program?: string | undefined
}

/**
 * Reaches hosts with the user's own `ssh`, for what ssh2 cannot do: certificates, hardware keys, Kerberos, ProxyCommand. One login a
 * host, which its commands share (ControlMaster); hosts behind one jump host of the inventory share that login too.
 */
export function opensshTransport(options: OpensshOptions = {}): Transport {
  const { concurrency = 30, retries = 5, clock = new Clock() } = options
  const gate = new Semaphore(concurrency)
  const settings = new OpensshArguments(options)
  const jumps = new JumpHosts<Master>()

  return {
    async connect(target, stop) {
      const { connection, release } = await reach(road(target), stop)
      return new OpensshConnection(connection, release)
    },
  }

  async function reach(
    { target, before }: Road,
    stop: AbortSignal | undefined,
  ): Promise<SharedLogin<Master>> {
    const jump = before && (await jumps.borrow(JSON.stringify(before), () => reach(before, stop)))
    try {
      const connection = await knock(target, jump?.connection, stop)
      return {
        connection,
        release: async () => {
          await connection.close()
          await jump?.release()
        },
      }
    } catch (error) {
      await jump?.release()
      throw error
    }
  }

  async function knock(
    target: Target,
    through: Master | undefined,
    stop: AbortSignal | undefined,
  ): Promise<Master> {
    const login = await settings.login(target, through, stop)
    return retryDropped(
      (begin) =>
        gate.pass(() => {
          throwIfStopped(stop)
          begin()
          return enter(login, clock, stop)
        }),
      { retries, timeout: login.loginTimeout },
    )
  }
}

/** A fingerprint does not tell the type of its key, and a server shows one key at a login: each type is tried by itself. */
async function enter(login: Login, clock: Clock, stop: AbortSignal | undefined): Promise<Master> {
  const { hostKey } = login.target
  const ways: readonly Arguments[] =
    hostKey === undefined ? [[]] : await pinnedHostKeyArguments(login.program, hostKey)
  let refusal: unknown
  for (const words of ways)
    try {
      return await startMaster({ ...login, words: [...words, ...login.words] }, clock, stop)
    } catch (error) {
      refusal ??= error
      const about = error instanceof Unreachable && ['host-key', 'protocol'].includes(error.reason)
      if (!about) throw error
    }
  throw refusal
}

interface Road {
  readonly target: Target
  readonly before: Road | undefined
}

/** The first jump host may have a way of its own; for the others, the list is the way. */
function road(target: Target): Road {
  const before = target.proxyJump?.reduce<Road | undefined>(
    (before, jump) => (before ? { target: jump, before } : road(jump)),
    undefined,
  )
  return { target, before }
}
