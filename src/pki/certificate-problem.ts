import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { KeyPair } from '../model/inventory/fields.ts'
import type { Secret } from '../shell/secret.ts'

/** The intended use of a certificate: see {@link certificateProblem}. */
export interface CertificateUse {
  /** DNS names that it must cover. */
  readonly names?: readonly string[]
  /** IP addresses that it must cover. */
  readonly addresses?: readonly string[]
  /** The authority that must have signed it, as PEM. @default any */
  readonly authority?: string
}

/**
 * The first problem of a certificate and its key, as the rest of a sentence; undefined if they are valid for the use.
 *
 * @example certificateProblem(certificate, { names: ['db1'] }) // 'has expired on 2026-01-01'
 */
export function certificateProblem(
  { certificate, key }: KeyPair,
  { names = [], addresses = [], authority }: CertificateUse,
  now = Date.now(),
): string | undefined {
  const leaf = parsed(() => new X509Certificate(certificate))
  if (!leaf) return 'is no certificate in PEM'
  const foreign = [
    ...names.filter((name) => leaf.checkHost(name) === undefined),
    ...addresses.filter((address) => leaf.checkIP(address) === undefined),
  ]
  if (foreign.length > 0) return `is not for ${foreign.join(' and ')}, but for ${leaf.subjectAltName ?? leaf.subject}`
  if (Date.parse(leaf.validTo) <= now) return `has expired on ${day(leaf.validTo)}`
  if (Date.parse(leaf.validFrom) > now) return `is not valid before ${day(leaf.validFrom)}`
  const own = parsed(() => keyOf(key))
  if (!own) return 'has a key that is none in PEM, or has a passphrase'
  if (!leaf.checkPrivateKey(own)) return 'does not belong to its key'
  return authority !== undefined && !isSigned(leaf, certificate, authority)
    ? 'was not signed by the authority'
    : undefined
}

/** True if the authority signed the certificate, directly or through the intermediate certificates in the file. */
function isSigned(leaf: X509Certificate, file: string, authority: string): boolean {
  const root = parsed(() => new X509Certificate(authority))
  if (!root) return false
  const above = (file.match(PEM) ?? []).slice(1).flatMap((text) => parsed(() => new X509Certificate(text)) ?? [])
  let at = leaf
  for (const one of [...above, root]) {
    if (at.verify(root.publicKey)) return true
    if (!at.verify(one.publicKey)) return false
    at = one
  }
  return at.fingerprint256 === root.fingerprint256
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

function keyOf(key: Secret): KeyObject {
  return createPrivateKey(key.reveal())
}

/** Undefined instead of OpenSSL's errors, which do not help the user. */
function parsed<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL')) return undefined
    throw error
  }
}

function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10)
}
