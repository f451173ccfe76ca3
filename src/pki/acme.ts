import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostname, type KeyPair } from '../model/inventory/fields.ts'
import { withOptionalPackage } from '../model/optional-package.ts'
import { Problem } from '../model/problem.ts'
import { authority, currentRenewal, loadIssuer } from './authority.ts'
import { certificateProblem } from './certificate-problem.ts'
import { type KeyPairFiles, keyPairFiles, keyPairInMemory, readKeyPair, replaceFile, writeKeyPair } from './files.ts'
import type { CertificateOrder } from './order.ts'

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

/** The names of a public certificate, and the ACME server that issues it. */
export interface AcmeOptions extends Omit<CertificateOrder, 'server' | 'accountKey'> {
  /** URL of the ACME server's directory. @default that of Let's Encrypt */
  readonly server?: string
}

/**
 * A public certificate from an ACME server. Only `renew-certificates` orders it: when less than a third of its lifetime is left, when
 * its names have changed, and the first time. Before the first order a certificate that no client trusts is used in its place.
 *
 * @param directory on the machine that provisions, relative to where the command is run; created if it does not exist. It keeps the
 * account's key, the certificate and its key, mode 0600
 * @throws Problem with the server's error when an order fails; the certificate from before is kept
 * @example
 * const certificate = await acme('certificates', {
 *   names: ['shop.example.com'],
 *   contact: 'ops@example.com',
 *   termsAgreed: true,
 * })
 */
export async function acme(directory: string, options: AcmeOptions): Promise<KeyPair> {
  const { names } = options
  assertHttpValidated(names)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const accountKey = accountKeyIn(directory)
  const files = keyPairFiles(directory, names[0])
  return {
    ...(await pairIn(directory, files, { server: LETS_ENCRYPT, ...options, accountKey })),
    thumbprint: thumbprintOf(accountKey),
  }
}

async function pairIn(directory: string, files: KeyPairFiles, order: CertificateOrder): Promise<KeyPair> {
  const { names } = order
  const current = existsSync(files.certificate) ? readKeyPair(files) : undefined
  const renewal = currentRenewal()
  const renewed = renewal?.renewed.get(files.certificate)
  if (renewed) return renewed
  if (!renewal || (current && !renewal.all && !isDue(current, names)))
    return current ?? (await authority(join(directory, 'before-the-first'))).keyPair({ names })
  const pair = renewal.check ? await temporaryPair(names) : writeKeyPair(files, await ordered(order))
  renewal.renewed.set(files.certificate, pair)
  return pair
}

async function ordered(order: CertificateOrder) {
  const { orderCertificate } = await withOptionalPackage(
    'acme-client',
    'A certificate of an ACME server',
    () => import('./order.ts'),
  )
  return orderCertificate(order)
}

/** Stands for the certificate that a dry run would order. */
async function temporaryPair(names: AcmeOptions['names']): Promise<KeyPair> {
  const { issueAuthority, issueLeaf } = await loadIssuer()
  return keyPairInMemory(await issueLeaf(await issueAuthority('dry run'), { names, addresses: [] }))
}

function isDue(pair: KeyPair, names: readonly string[]): boolean {
  if (certificateProblem(pair, { names }) !== undefined) return true
  const { validFrom, validTo } = new X509Certificate(pair.certificate)
  return Date.parse(validTo) - Date.now() < (Date.parse(validTo) - Date.parse(validFrom)) / 3
}

function accountKeyIn(directory: string): string {
  const path = join(directory, 'account.key')
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    replaceFile(path, String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600)
  }
  return readFileSync(path, 'utf8')
}

/** RFC 7638: the members that the key type requires, in alphabetical order. */
function thumbprintOf(key: string): string {
  const { crv, kty, x, y } = createPublicKey(key).export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

function assertHttpValidated(names: readonly string[]): void {
  const wrong = names.find((name) => hostname.check(name) === undefined)
  if (wrong === undefined) return
  throw new Problem(`An ACME server cannot validate ${JSON.stringify(wrong)} by HTTP`, {
    where: 'acme, names',
    next: 'Write each DNS name in full; one with * needs a certificate from elsewhere: pemPair(…).',
  })
}
