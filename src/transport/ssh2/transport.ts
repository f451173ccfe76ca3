import type { Secret } from '../../shell/secret.ts'
import { Clock } from '../clock.ts'
import { Semaphore } from '../concurrency.ts'
import { SshConfigReader } from '../ssh/config.ts'
import { loginSettings } from '../ssh/settings.ts'
import type { Target, Transport } from '../transport.ts'
import { connect } from './connect.ts'
import { Ssh2Connection } from './connection.ts'
import type { AskHostKey } from './host-key.ts'
import { Keyring } from './identity.ts'
import { type AskPassphrase, KeyFiles } from './key-file.ts'
import { KnownHosts } from './known-hosts-store.ts'
import { Roads } from './routes.ts'
import type { Keepalive, LoginSettings } from './settings.ts'

/** How to log in. The inventory goes before these options, they before the user's ssh_config, and that before our defaults. */
export interface SshOptions {
  /** @default the user who runs this */
  readonly user?: string | undefined
  /** Private keys. @default ~/.ssh/id_ed25519, id_ecdsa, id_rsa */
  readonly identityFiles?: readonly string[] | undefined
  /** The agent's socket, or false for none. @default $SSH_AUTH_SOCK */
  readonly agent?: string | false | undefined
  /** Tried last, and at all hosts. @default none */
  readonly password?: Secret | undefined
  /** Asked once for each key file that is encrypted and needed. @default such files are not used */
  readonly passphrase?: AskPassphrase | undefined
  /**
   * `strict`: a host whose key is not known is refused, unless `ask` says yes. `accept-new`: its key is written down.
   * A changed or a revoked key is refused whatever stands here. @default StrictHostKeyChecking of ssh_config, else `strict`
   */
  readonly hostKeys?: 'strict' | 'accept-new' | undefined
  /** Asks a person about the key of a new host, one host at a time. @default new hosts are refused */
  readonly ask?: AskHostKey | undefined
  /** Files that are read in place of the usual ones; new keys go to the first. */
  readonly knownHosts?: readonly string[] | undefined
  /** Read in place of ~/.ssh/config and /etc/ssh/ssh_config. */
  readonly configFile?: string | undefined
  /** Milliseconds until the TCP connection is open. @default ConnectTimeout of ssh_config, else 10_000 */
  readonly connectTimeout?: number | undefined
  /** Milliseconds without a byte of the host after which a login is given up. @default 60_000 */
  readonly loginTimeout?: number | undefined
  /** A host that is silent for `misses + 1` intervals is given up. @default every 3_000 ms, 19 misses: 60 s */
  readonly keepalive?: Keepalive | undefined
  /** Logins that are under way at once. @default 30 */
  readonly concurrency?: number | undefined
  /** Further attempts at a host that hangs up before it greets us. @default 5 */
  readonly retries?: number | undefined
  /** Measures the limits. @default a clock of its own */
  readonly clock?: Clock | undefined
  /** Takes what a person should know and need not act upon at once. @default nobody is told */
  readonly warn?: ((text: string) => void) | undefined
}

/** Reaches hosts by SSH, with ssh2. Host keys are always checked. Hosts behind one jump host share a login there. */
export function sshTransport(options: SshOptions = {}): Transport {
  const { concurrency = 30, retries = 5, clock = new Clock() } = options
  const oneByOne = new Semaphore(1)
  const { ask, passphrase } = options
  const files = new KeyFiles(passphrase && ((question) => oneByOne.pass(() => passphrase(question))))
  const parts = {
    gate: new Semaphore(concurrency),
    keyring: new Keyring({ files, clock, password: options.password }),
    knownHosts: new KnownHosts(),
    clock,
    retries,
    warn: options.warn ?? (() => {}),
    ask: ask && ((question: Parameters<AskHostKey>[0]) => oneByOne.pass(() => ask(question))),
  }
  const settings = settingsReader(options)
  const roads = new Roads({
    settings,
    connect: (settings, through, stop) => connect({ ...parts, settings, through, stop }),
  })
  return {
    async connect(target, stop) {
      const { connection, release } = await roads.reach(target, stop)
      return new Ssh2Connection(connection, release)
    },
  }
}

/** Puts the inventory, the options and ssh_config together. @throws Problem for a setting that cannot be followed */
export function settingsReader(
  options: SshOptions,
): (target: Target, stop?: AbortSignal) => Promise<LoginSettings> {
  const { configFile, warn = () => {} } = options
  const reader = new SshConfigReader(configFile === undefined ? {} : { file: configFile })
  return async (target, stop) => {
    const { host, alias, port } = target
    const user = target.user ?? options.user
    const asked = {
      host,
      ...(alias !== undefined && { alias }),
      ...(user ? { user } : {}),
      ...(port === undefined ? {} : { port }),
      ...(stop ? { stop } : {}),
    }
    const config = await reader.read(asked)
    return loginSettings({ target, config, defaults: options, warn })
  }
}
