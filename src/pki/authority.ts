import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { KeyPair } from '../model/inventory/fields.ts'
import { withOptionalPackage } from '../model/optional-package.ts'
import { keyPairFiles, keyPairInMemory, readKeyPair, writeKeyPair } from './files.ts'

const DAY = 86_400_000

/** Certificates with less time left than this are replaced. */
const RENEW_BEFORE = 30 * DAY

/** Your own certificate authority. Created by {@link authority}. */
export interface Authority {
  /** The authority's certificate, as PEM. Clients that verify its certificates must trust it. */
  readonly certificate: string
  /** The path of that certificate, for programs that need a file. */
  readonly file: string
  /** A certificate for these names and addresses, with its key. It is reissued if it is about to expire or if names have changed. */
  readonly keyPair: (of: Subject) => Promise<KeyPair>
}

interface Subject {
  /** DNS names; the first is the certificate's common name. */
  readonly names: readonly [string, ...string[]]
  /** IP addresses. */
  readonly addresses?: readonly string[]
}

/**
 * Your own certificate authority, for labs and for connections between tiers. Its keys stay in the directory, mode 0600, on the
 * machine that provisions. A host gets only its own key.
 *
 * @param directory created if it does not exist. Keep it: without it every certificate has to be replaced.
 * @example
 * const own = await authority('pki')
 * const pair = await own.keyPair({ names: ['db1'], addresses: ['10.0.4.1'] })
 */
export async function authority(
  directory: string,
  { name = 'Provision' }: { readonly name?: string } = {},
): Promise<Authority> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const own = keyPairFiles(directory, 'authority')
  if (!isCurrent(own.certificate, { names: [] })) {
    const { issueAuthority } = await loadIssuer()
    writeKeyPair(own, await issueAuthority(`${name} authority`))
  }
  const issuer = readKeyPair(own)
  return {
    certificate: issuer.certificate,
    file: own.certificate,
    keyPair: async ({ names, addresses = [] }) => {
      // A host of this name would overwrite the authority's own files.
      const files = keyPairFiles(directory, names[0].replace(/[^a-z0-9.-]|^authority$/gi, '_'))
      const renewal = currentRenewal()
      const current = isCurrent(files.certificate, { names, addresses }, issuer.certificate)
      const renewed = renewal?.renewed.get(files.certificate)
      if (renewed && (current || renewal?.check)) return renewed
      if (current && !renewal?.all) return readKeyPair(files)
      const { issueLeaf } = await loadIssuer()
      const signer = { certificate: issuer.certificate, key: issuer.key.reveal() }
      const issued = await issueLeaf(signer, { names, addresses })
      const pair = renewal?.check ? keyPairInMemory(issued) : writeKeyPair(files, issued)
      renewal?.renewed.set(files.certificate, pair)
      return pair
    },
  }
}

/** True if the certificate exists, has time left, is from this issuer, and is for exactly these names and addresses. */
function isCurrent(
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

interface RenewalOptions {
  /** Renews certificates that have much time left too. @default false */
  readonly all?: boolean
  /** Dry run: temporary certificates stand for the new ones; nothing is ordered or written. @default false */
  readonly check?: boolean
}

interface Renewal extends RenewalOptions {
  /** Renewed pairs by the file of the certificate: each is renewed once. */
  readonly renewed: Map<string, KeyPair>
}

let renewal: Renewal | undefined

/**
 * Starts a renewal: until the returned function is called, certificates that are asked for are renewed if they have little time left.
 * Certificates of an ACME server are ordered only during a renewal.
 *
 * @example
 * const done = renewCertificates({ all: true })
 * const fresh = await (await authority('pki')).keyPair({ names: ['db1'] })
 * done()
 */
export function renewCertificates(options: RenewalOptions = {}): () => void {
  renewal = { ...options, renewed: new Map() }
  return () => {
    renewal = undefined
  }
}

/** Undefined while certificates are used as they are. */
export function currentRenewal(): Renewal | undefined {
  return renewal
}

/** The functions that issue certificates: their library is optional, and loaded on demand. */
export function loadIssuer(): Promise<typeof import('./issue.ts')> {
  return withOptionalPackage('@peculiar/x509', 'A certificate authority', () => import('./issue.ts'))
}
