import { Socket } from 'node:net'
import { Clock } from '../clock.ts'
import { Semaphore } from '../concurrency.ts'
import { Unreachable } from '../errors.ts'
import { JumpHosts, type SharedLogin } from '../ssh/jump-hosts.ts'
import { loginWithRetries } from '../ssh/retry.ts'
import type { Connection, Exit, RemoteProcess, Target, Traffic, Transport } from '../transport.ts'
import { type Master, startMaster } from './master.ts'
import { type Arguments, LoginCommands, type OpensshOptions, pinnedKeyArguments } from './options.ts'

/**
 * Connects with the user's own `ssh`, for features that ssh2 lacks: certificates, hardware keys, Kerberos, ProxyCommand. The commands of a
 * host share one login (ControlMaster), and so do the hosts behind a jump host of the inventory.
 */
export function opensshTransport(options: OpensshOptions = {}): Transport {
  const { concurrency = 30, retries = 5, clock = new Clock() } = options
  const semaphore = new Semaphore(concurrency)
  const commands = new LoginCommands(options)
  const hosts = new JumpHosts<Target, Master>({
    settings: async (target) => target,
    proxyJump: ({ proxyJump = [] }) => proxyJump,
    key: (target) => JSON.stringify(target),
    login: (target, through, stop) => login(target, through, stop),
  })
  return { connect: async (target, stop) => new OpensshConnection(await hosts.login(target, stop), clock) }

  async function login(target: Target, through: Master | undefined, stop: AbortSignal | undefined): Promise<Master> {
    const command = await commands.create(target, through?.proxyCommand, stop)
    const { program, loginTimeout } = command
    const { hostKey } = target
    const keyTypes = hostKey === undefined ? [[]] : await pinnedKeyArguments(program, hostKey)
    const attempt = (pinned: Arguments) =>
      startMaster({ ...command, args: [...pinned, ...command.args], through }, clock, stop)
    return loginWithRetries(() => firstMatching(keyTypes, attempt), {
      ...{ semaphore, retries, stop },
      timeout: loginTimeout,
    })
  }
}

/** A fingerprint does not show its key type, and a server presents one key per login: tries each type, and reports the first error. */
async function firstMatching<T>(
  keyTypes: readonly Arguments[],
  attempt: (keyType: Arguments) => Promise<T>,
): Promise<T> {
  let firstError: unknown
  for (const keyType of keyTypes)
    try {
      return await attempt(keyType)
    } catch (error) {
      firstError ??= error
      const isAboutKey = error instanceof Unreachable && ['host-key', 'protocol'].includes(error.reason)
      if (!isAboutKey) throw error
    }
  throw firstError
}

/** Starts one `ssh` per command, all over the master's login. */
class OpensshConnection implements Connection {
  readonly #master: Master
  readonly #clock: Clock
  readonly #release: () => Promise<void>
  readonly #running = new Set<RemoteProcess>()
  /** sshd allows 10 sessions per login (MaxSessions), and counts those that are about to end. */
  readonly #sessions = new Semaphore(4)
  #endedTraffic: Traffic = { sent: 0, received: 0 }

  constructor({ login, release }: SharedLogin<Master>, clock: Clock) {
    this.#master = login
    this.#clock = clock
    this.#release = release
  }

  /** Bytes of our pipes: ssh does not report those of the network. */
  get traffic(): Traffic {
    return [...this.#running].map(trafficOf).reduce(sum, this.#endedTraffic)
  }

  get keepaliveInterval(): number {
    return this.#master.command.keepalive.interval
  }

  async start(command: string): Promise<RemoteProcess> {
    const release = await this.#sessions.acquire()
    try {
      const process = await this.#master.start(command)
      this.#running.add(process)
      void process.exit.then(() => {
        release()
        this.#running.delete(process)
        this.#endedTraffic = sum(this.#endedTraffic, trafficOf(process))
      })
      return { ...process, exit: this.#exit(process) }
    } catch (error) {
      release()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#release()
    for (const process of this.#running) process.destroy()
  }

  /** ssh exits with 255 if the connection is lost, if a signal killed the command, or if the command exits with 255. */
  async #exit(process: RemoteProcess): Promise<Exit> {
    const lost = this.#master.lost.then((reason) => ({ lost: reason }))
    const exit = await Promise.race([process.exit, lost])
    return 'code' in exit && exit.code === 255
      ? Promise.race([lost, this.#clock.wait(LOST_GRACE).then(() => exit)])
      : exit
  }
}

/** Milliseconds between the end of a command and that of its lost login. */
const LOST_GRACE = 150

function trafficOf({ stdin, stdout, stderr }: RemoteProcess): Traffic {
  const read = (stream: unknown) => (stream instanceof Socket ? stream.bytesRead : 0)
  return { sent: stdin instanceof Socket ? stdin.bytesWritten : 0, received: read(stdout) + read(stderr) }
}

function sum(a: Traffic, b: Traffic): Traffic {
  return { sent: a.sent + b.sent, received: a.received + b.received }
}
