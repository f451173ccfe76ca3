import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientChannel } from 'ssh2'
import type { Secret } from '../../shell/secret.ts'
import { Clock } from '../clock.ts'
import { Semaphore } from '../concurrency.ts'
import { Unreachable } from '../errors.ts'
import { SshConfigReader } from '../ssh/config.ts'
import { JumpHosts, type SharedLogin } from '../ssh/jump-hosts.ts'
import { loginWithRetries } from '../ssh/retry.ts'
import type { SshOptions } from '../ssh/settings.ts'
import type { Connection, RemoteProcess, Target, Traffic, Transport } from '../transport.ts'
import { SshClient } from './client.ts'
import { connectError } from './errors.ts'
import { type AskHostKey, HostKeyCheck } from './host-key.ts'
import { type AuthMethods, Keyring } from './identity.ts'
import { type AskPassphrase, KeyFiles } from './keys.ts'
import { KnownHosts } from './known-hosts.ts'
import { LoginFailed, login } from './login.ts'
import { address, type LoginSettings, loginSettings } from './settings.ts'
import { openSocket, openTunnel } from './socket.ts'

export interface Ssh2Options extends SshOptions {
  /** Tried last, at all hosts. @default none */
  readonly password?: Secret | undefined
  /** Asked once for each encrypted key file that is needed. @default such files are not used */
  readonly passphrase?: AskPassphrase | undefined
  /** Asks the user about unknown host keys, one at a time. @default they are rejected */
  readonly ask?: AskHostKey | undefined
}

/** Connects by SSH with ssh2. Host keys are always checked. */
export function sshTransport(options: Ssh2Options = {}): Transport {
  const { concurrency = 30, retries = 5, clock = new Clock(), warn = () => {}, ask, passphrase } = options
  const oneByOne = new Semaphore(1)
  const files = new KeyFiles(passphrase && ((question) => oneByOne.run(() => passphrase(question))))
  const parts = {
    ...{ clock, retries, warn },
    semaphore: new Semaphore(concurrency),
    keyring: new Keyring({ files, clock, password: options.password }),
    knownHosts: new KnownHosts(),
    ask: ask && ((question: Parameters<AskHostKey>[0]) => oneByOne.run(() => ask(question))),
  }
  const hosts = new JumpHosts<LoginSettings, SshClient>({
    settings: settingsReader(options),
    proxyJump: ({ proxyJump }) => proxyJump,
    key: (settings) => `${address(settings)} ${settings.hostKey.name} ${settings.hostKey.pin}`,
    login: (settings, through, stop) => connect({ ...parts, settings, through, stop }),
  })
  return { connect: async (target, stop) => new SshConnection(await hosts.login(target, stop)) }
}

/** Reads the settings of hosts. @throws Unreachable for a setting of ssh_config that is not supported */
export function settingsReader(options: SshOptions): (target: Target, stop?: AbortSignal) => Promise<LoginSettings> {
  const reader = new SshConfigReader({ file: options.configFile })
  return async (target, stop) => {
    const config = await reader.read({ ...target, user: target.user ?? options.user, stop })
    return loginSettings({ target, config, options })
  }
}

class SshConnection implements Connection {
  readonly #client: SshClient
  readonly #release: () => Promise<void>
  /** sshd allows 10 sessions per login (MaxSessions), and counts those that are about to end. */
  readonly #sessions = new Semaphore(4)

  constructor({ login, release }: SharedLogin<SshClient>) {
    this.#client = login
    this.#release = release
  }

  get traffic(): Traffic {
    return this.#client.traffic
  }

  get keepaliveInterval(): number {
    return this.#client.settings.keepalive.interval
  }

  async start(command: string): Promise<RemoteProcess> {
    const release = await this.#sessions.acquire()
    try {
      const process = await this.#exec(command, (channel) => {
        // On 'exit', because 'close' waits for daemons that the command left behind with its output still open.
        for (const event of ['exit', 'close']) channel.once(event, release)
      })
      void this.#client.lost.then(release)
      return process
    } catch (error) {
      release()
      throw error
    }
  }

  close(): Promise<void> {
    return this.#release()
  }

  async #exec(command: string, onOpen: (channel: ClientChannel) => void): Promise<RemoteProcess> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#client.exec(command, onOpen)
      } catch (error) {
        if (error instanceof Unreachable) throw error
        const message = error instanceof Error ? error.message : String(error)
        if (!/channel open failure/i.test(message) || attempt === ATTEMPTS)
          throw new Unreachable(
            `${this.#client.settings.name} cannot start a command: ${message.replace('(SSH) ', '')}`,
            {
              reason: 'protocol',
              next: 'See MaxSessions and ForceCommand in its sshd_config, and its log.',
              cause: error,
            },
          )
        await sleep(50 * 2 ** attempt)
      }
    }
  }
}

const ATTEMPTS = 6

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
