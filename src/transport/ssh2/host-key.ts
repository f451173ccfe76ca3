import type { Unreachable } from '../errors.ts'
import { fingerprint, keyType, keyTypeName } from '../ssh/encoding.ts'
import { hostKeyErrors } from './host-key-errors.ts'
import type { KnownKey } from './known-hosts.ts'
import type { KnownHosts } from './known-hosts-store.ts'
import type { LoginSettings } from './settings.ts'

/** What a person is asked when a host is new. */
export interface HostKeyQuestion {
  /** The host's name in the inventory, and its name in known_hosts. */
  readonly host: string
  readonly knownAs: string
  /** `ED25519`, `ECDSA` or `RSA`. */
  readonly type: string
  readonly fingerprint: string
  /** Where the key goes when it is accepted. */
  readonly file: string | undefined
}

/** Says whether the key of a new host is the right one. */
export type AskHostKey = (question: HostKeyQuestion) => Promise<boolean>

export type HostKeyDecision =
  /** `remember` is to be called when the host has proved that the key is its own: until then it only shows it. */
  | { readonly trusted: true; readonly remember?: () => Promise<void> }
  | { readonly trusted: false; readonly why: Unreachable }

/** What is known of one host's key before we connect, and the judge of the key that it shows. */
export class HostKeyCheck {
  readonly #settings: LoginSettings
  readonly #known: readonly KnownKey[]
  readonly #aside: readonly KnownKey[]
  readonly #store: KnownHosts

  private constructor(settings: LoginSettings, { known, aside, store }: Findings) {
    this.#settings = settings
    this.#known = known
    this.#aside = aside
    this.#store = store
  }

  static async prepare(settings: LoginSettings, store: KnownHosts): Promise<HostKeyCheck> {
    const { pin, name, plainName, userFiles, globalFiles } = settings.hostKey
    if (pin !== undefined) return new HostKeyCheck(settings, { known: [], aside: [], store })
    const files = [...userFiles, ...globalFiles]
    const known = await store.find(files, name)
    const aside = plainName === undefined ? [] : await store.find(files, plainName)
    return new HostKeyCheck(settings, { known, aside, store })
  }

  /**
   * Algorithms to offer, the types that we know first: a server has keys of several types, and we must ask for the one that
   * we can compare. The others stay in, so that a host that lost its old key is told from one that speaks no algorithm of
   * ours. A fingerprint does not tell its type, so with a pin each type is asked for by itself, login after login.
   */
  offers(): readonly (readonly string[])[] {
    const { pin, algorithms } = this.#settings.hostKey
    const wanted = (algorithms ?? ALGORITHMS).filter((name) => ALGORITHMS.includes(name))
    const offered = wanted.length > 0 ? wanted : ALGORITHMS
    if (pin !== undefined)
      return ['ssh-ed25519', 'ecdsa-', 'rsa-']
        .map((family) => offered.filter((name) => name.startsWith(family)))
        .filter((family) => family.length > 0)
    const known = this.#known.some(isKey) ? this.#known : this.#aside
    const types = new Set(known.filter(isKey).map(({ type }) => type))
    const first = offered.filter((name) => types.has(typeOf(name)))
    return [[...first, ...offered.filter((name) => !first.includes(name))]]
  }

  /** Revoked beats known, known beats new; a host that is known by other keys is never new. */
  async judge(key: Buffer, ask: AskHostKey | undefined): Promise<HostKeyDecision> {
    const { pin, unknown } = this.#settings.hostKey
    const shown = { type: keyType(key) ?? 'unknown', fingerprint: fingerprint(key) }
    const trouble = hostKeyErrors(this.#settings, shown)
    if (pin !== undefined)
      return shown.fingerprint === pin.replace(/=+$/, '')
        ? { trusted: true }
        : { trusted: false, why: trouble.notPinned(pin) }
    const lines = [...this.#known, ...this.#aside]
    const same = lines.filter((line) => line.key.equals(key))
    const revoked = same.find(({ marker }) => marker === 'revoked')
    if (revoked) return { trusted: false, why: trouble.revoked(revoked) }
    if (same.some(isKey)) return { trusted: true }
    // Only lines under its own name: another server may well live on port 22 of the same machine.
    const others = this.#known.filter(isKey)
    if (others.length > 0) return { trusted: false, why: trouble.changed(others) }
    const authority = lines.find(({ marker }) => marker === 'cert-authority')
    if (authority) return { trusted: false, why: trouble.onlyAuthority(authority) }
    if (unknown === 'accept' || (unknown === 'ask' && (await this.#accepted(shown, ask))))
      return { trusted: true, remember: () => this.#remember(key) }
    return { trusted: false, why: trouble.unknown() }
  }

  async #accepted(
    shown: { type: string; fingerprint: string },
    ask: AskHostKey | undefined,
  ): Promise<boolean> {
    const { name, userFiles } = this.#settings.hostKey
    const type = keyTypeName(shown.type)
    const question = { host: this.#settings.name, knownAs: name, type, fingerprint: shown.fingerprint }
    return ask !== undefined && (await ask({ ...question, file: userFiles[0] }))
  }

  async #remember(key: Buffer): Promise<void> {
    const { name, hash, userFiles } = this.#settings.hostKey
    const file = userFiles[0]
    if (file !== undefined) await this.#store.remember(file, { name, key, hash })
  }
}

interface Findings {
  readonly known: readonly KnownKey[]
  /** What is known of the same host without its port: it can vouch for a key or revoke it, and contradicts none. */
  readonly aside: readonly KnownKey[]
  readonly store: KnownHosts
}

function isKey({ marker }: KnownKey): boolean {
  return marker === undefined
}

/** RSA has two algorithms for one type of key. */
function typeOf(algorithm: string): string {
  return algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm
}

/** What ssh2 can do, but for `ssh-rsa`, that is RSA with SHA-1, which OpenSSH has refused since 8.8. */
const ALGORITHMS: readonly string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]
