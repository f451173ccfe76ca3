import { quote } from '../../shell/sh.ts'
import { Unreachable } from '../errors.ts'
import { fingerprint, keyType, keyTypeName } from '../ssh/encoding.ts'
import { acceptKey, FAILURES, type Failure, INTERCEPTED } from '../ssh/errors.ts'
import type { KnownHosts, KnownKey } from './known-hosts.ts'
import { address, type LoginSettings } from './settings.ts'

/** A question about an unknown host key. */
interface HostKeyQuestion {
  /** The host's name in the inventory. */
  readonly host: string
  /** The host's name in known_hosts. */
  readonly knownAs: string
  /** `ED25519`, `ECDSA` or `RSA`. */
  readonly type: string
  readonly fingerprint: string
  /** The file to which an accepted key is added. */
  readonly file: string | undefined
}

/** Resolves to true if the user accepts the key. */
export type AskHostKey = (question: HostKeyQuestion) => Promise<boolean>

export type HostKeyDecision =
  /** `remember` must be called only after the host has proved that it owns the key. */
  | { readonly trusted: true; readonly remember?: () => Promise<void> }
  | { readonly trusted: false; readonly error: Unreachable }

/** Checks one host's key against known_hosts, which is read before the connection. */
export class HostKeyCheck {
  readonly #settings: LoginSettings
  readonly #known: readonly KnownKey[]
  /** Keys of the same host without its port. They can trust or revoke a key, and contradict none. */
  readonly #withoutPort: readonly KnownKey[]
  readonly #store: KnownHosts

  private constructor(settings: LoginSettings, { known, withoutPort, store }: Lookup) {
    this.#settings = settings
    this.#known = known
    this.#withoutPort = withoutPort
    this.#store = store
  }

  static async prepare(settings: LoginSettings, store: KnownHosts): Promise<HostKeyCheck> {
    const { pin, name, plainName, userFiles, globalFiles } = settings.hostKey
    if (pin !== undefined) return new HostKeyCheck(settings, { known: [], withoutPort: [], store })
    const files = [...userFiles, ...globalFiles]
    const known = await store.find(files, name)
    const withoutPort = plainName === undefined ? [] : await store.find(files, plainName)
    return new HostKeyCheck(settings, { known, withoutPort, store })
  }

  /**
   * The algorithms to offer in each login attempt, known key types first: a server has keys of several types, and only a known one can be
   * compared. The others are offered too, to tell a host with a changed key from one without a common algorithm. A pinned fingerprint
   * does not show its type, so each type is offered in an attempt of its own.
   */
  offers(): readonly (readonly string[])[] {
    const { pin, algorithms } = this.#settings.hostKey
    const offered = algorithms?.filter((name) => ALGORITHMS.includes(name)) ?? ALGORITHMS
    if (pin !== undefined)
      return ['ssh-ed25519', 'ecdsa-', 'rsa-']
        .map((family) => offered.filter((name) => name.startsWith(family)))
        .filter((family) => family.length > 0)
    const known = this.#known.some(isKey) ? this.#known : this.#withoutPort
    const types = new Set(known.filter(isKey).map(({ type }) => type))
    const first = offered.filter((name) => types.has(typeOf(name)))
    return [[...first, ...offered.filter((name) => !first.includes(name))]]
  }

  /** Revoked overrides known, known overrides new. A host with other known keys is never new. */
  async verify(key: Buffer, ask: AskHostKey | undefined): Promise<HostKeyDecision> {
    const { pin, unknown } = this.#settings.hostKey
    const shown = { type: keyType(key) ?? 'unknown', fingerprint: fingerprint(key) }
    const errors = hostKeyErrors(this.#settings, shown)
    if (pin !== undefined)
      return shown.fingerprint === pin.replace(/=+$/, '')
        ? { trusted: true }
        : { trusted: false, error: errors.notPinned(pin) }
    const lines = [...this.#known, ...this.#withoutPort]
    const same = lines.filter((line) => line.key.equals(key))
    const revoked = same.find(({ marker }) => marker === 'revoked')
    if (revoked) return { trusted: false, error: errors.revoked(revoked) }
    if (same.some(isKey)) return { trusted: true }
    // Only lines under its own name: another server may run on port 22 of the same machine.
    const others = this.#known.filter(isKey)
    if (others.length > 0) return { trusted: false, error: errors.changed(others) }
    const authority = lines.find(({ marker }) => marker === 'cert-authority')
    if (authority) return { trusted: false, error: errors.onlyAuthority(authority) }
    if (unknown === 'accept' || (unknown === 'ask' && (await this.#accepted(shown, ask))))
      return { trusted: true, remember: () => this.#remember(key) }
    return { trusted: false, error: errors.unknown() }
  }

  async #accepted(shown: PresentedKey, ask: AskHostKey | undefined): Promise<boolean> {
    const { name, hostKey } = this.#settings
    const { type, fingerprint } = shown
    const question = { host: name, knownAs: hostKey.name, type: keyTypeName(type), fingerprint }
    return ask !== undefined && (await ask({ ...question, file: hostKey.userFiles[0] }))
  }

  async #remember(key: Buffer): Promise<void> {
    const { name, hash, userFiles } = this.#settings.hostKey
    const file = userFiles[0]
    if (file !== undefined) await this.#store.remember(file, { name, key, hash })
  }
}

interface Lookup {
  readonly known: readonly KnownKey[]
  readonly withoutPort: readonly KnownKey[]
  readonly store: KnownHosts
}

function isKey({ marker }: KnownKey): boolean {
  return marker === undefined
}

/** RSA has two algorithms for one key type. */
function typeOf(algorithm: string): string {
  return algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm
}

/** The algorithms of ssh2 without `ssh-rsa` (RSA with SHA-1), which OpenSSH has disabled since 8.8. */
const ALGORITHMS: readonly string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

interface PresentedKey {
  readonly type: string
  readonly fingerprint: string
}

function hostKeyErrors(settings: LoginSettings, key: PresentedKey) {
  const { name, host, hostKey, port } = settings
  const presented = `presented by ${host}: ${keyTypeName(key.type)} ${key.fingerprint}`
  const error = ({ what, reason, next }: Failure, ...details: readonly string[]) =>
    new Unreachable(what, {
      reason,
      details: [presented, ...details, `tried ${address(settings)}`],
      ...(next !== undefined && { next }),
    })

  return {
    notPinned: (pin: string) => error(FAILURES.keyNotPinned(name), `inventory: ${pin}`),
    revoked: ({ file, line }: KnownKey) => error(FAILURES.keyRevoked(name), `revoked at ${file}:${line}`),
    changed: (lines: readonly KnownKey[]) => {
      const commands = lines.map(({ file }) => `ssh-keygen -f ${quote(file)} -R ${quote(hostKey.name)}`)
      const next = `If the host was reinstalled: ${[...new Set(commands)].join(' && ')}. ${INTERCEPTED}`
      const known = lines.map(
        ({ type, key, file, line }) => `known: ${keyTypeName(type)} ${fingerprint(key)} (${file}:${line})`,
      )
      return error({ ...FAILURES.keyChanged(name), next }, ...known)
    },
    onlyAuthority: ({ file, line }: KnownKey) =>
      error(
        {
          what: `${name} is known by a certificate authority only, and ssh2 does not support host certificates`,
          reason: 'host-key',
          next: `Compare the fingerprint with that on the host and set it as hostKey, add the key to known_hosts, or use the transport 'openssh'.`,
        },
        `@cert-authority at ${file}:${line}`,
      ),
    unknown: () => {
      const files = [...hostKey.userFiles, ...hostKey.globalFiles].join(', ') || 'any file'
      const next = acceptKey(`ssh${port === 22 ? '' : ` -p ${port}`} ${quote(host)}`)
      return error({ ...FAILURES.keyUnknown(name), next }, `not found as ${hostKey.name} in ${files}`)
    },
  }
}
