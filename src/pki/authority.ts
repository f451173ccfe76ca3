import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { KeyPair } from '../model/fields.ts'
import { keep, keptAt, pairOf, readPair } from './kept.ts'
import { renewal } from './renewal.ts'

const DAY = 86_400_000

/** Certificates are made anew when they have less than this left. */
const RENEW_BEFORE = 30 * DAY

/** A certificate authority of one's own. Made by {@link authority}. */
export interface Authority {
  /** The authority's own certificate, as PEM: what those must trust who check the others. */
  readonly certificate: string
  /** Where that certificate lies, for programs that want a file. */
  readonly file: string
  /** A certificate for these names and addresses, with its key: the one made before, unless it is about to expire or other names are asked for. */
  readonly keyPair: (of: Subject) => Promise<KeyPair>
}

export interface Subject {
  /** DNS names; the first is also the certificate's own. */
  readonly names: readonly [string, ...string[]]
  /** IP addresses. */
  readonly addresses?: readonly string[]
}

/**
 * A certificate authority of one's own, for labs and for the connections between tiers. Its keys stay in the directory, mode 0600,
 * on the machine that provisions; a host gets its own key and no other.
 *
 * @param directory is made when it is not there. Keep it: who has lost it has to replace every certificate.
 * @example
 * const own = await authority('pki')
 * const pair = await own.keyPair({ names: ['db1'], addresses: ['10.0.4.1'] })
 */
export async function authority(
  directory: string,
  { name = 'Provision' }: { readonly name?: string } = {},
): Promise<Authority> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const own = keptAt(directory, 'authority')
  if (!isGood(own.certificate, { names: [] })) {
    const { issueAuthority } = await import('./issue.ts')
    keep(own, await issueAuthority(`${name} authority`))
  }
  const issuer = readPair(own)
  return {
    certificate: issuer.certificate,
    file: own.certificate,
    keyPair: async ({ names, addresses = [] }) => {
      // A host of this name would take the authority's own files.
      const files = keptAt(directory, names[0].replace(/[^a-z0-9.-]|^authority$/gi, '_'))
      const renewing = renewal()
      const good = isGood(files.certificate, { names, addresses }, issuer.certificate)
      const made = renewing?.made.get(files.certificate)
      if (made && (good || renewing?.check)) return made
      if (good && !renewing?.all) return readPair(files)
      const { issueLeaf } = await import('./issue.ts')
      const above = { certificate: issuer.certificate, key: issuer.key.reveal() }
      const issued = await issueLeaf(above, { names, addresses })
      const pair = renewing?.check ? pairOf(issued) : keep(files, issued)
      renewing?.made.set(files.certificate, pair)
      return pair
    },
  }
}

/** Whether the certificate is there, lasts, is from this issuer, and is for just these names and addresses. */
function isGood(
  file: string,
  { names, addresses = [] }: { readonly names: readonly string[]; readonly addresses?: readonly string[] },
  issuer?: string,
): boolean {
  if (!existsSync(file)) return false
  const certificate = new X509Certificate(readFileSync(file))
  if (Date.parse(certificate.validTo) - Date.now() < RENEW_BEFORE) return false
  if (issuer && !certificate.verify(new X509Certificate(issuer).publicKey)) return false
  const held = certificate.subjectAltName?.split(', ').map((one) => one.slice(one.indexOf(':') + 1)) ?? []
  return (
    held.length === names.length + addresses.length &&
    names.every((one) => held.includes(one)) &&
    // An IPv6 address has many spellings.
    addresses.every((one) => certificate.checkIP(one) !== undefined)
  )
}
