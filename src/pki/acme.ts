import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostname, type KeyPair } from '../model/fields.ts'
import { Problem } from '../model/problem.ts'
import { authority } from './authority.ts'
import { type Kept, keep, keepFile, keptAt, pairOf, readPair } from './kept.ts'
import { certificateProblem } from './pair.ts'
import { renewal } from './renewal.ts'

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

/** What a public certificate is for, and of whom it is ordered. */
export interface AcmeOptions {
  /** What it is for. Each name leads to the balancers, who answer for it on port 80. */
  readonly names: readonly [string, ...string[]]
  /** That you have read the terms of the authority, and agree to them. */
  readonly termsAgreed: true
  /** The e-mail address that the authority may write to. */
  readonly contact: string
  /** The ACME server's directory. @default that of Let's Encrypt */
  readonly server?: string
  /** Who has signed the ACME server's own certificate, as PEM. @default whom Node.js trusts */
  readonly serverAuthority?: string
}

/**
 * A public certificate, ordered of an ACME server by `renew-certificates` and by nothing else: when less than a third of its life is
 * left, when its names have changed, and the first time. Before that first time it is one that no client trusts, so that
 * there is something to begin with.
 *
 * @param directory on the machine that provisions; its path counts from where the command is run, and it is made when it is not there. It
 * keeps the account's key, the certificate and its key, mode 0600
 * @throws Problem with the server's own words when an order fails; what was there before is kept
 * @example
 * const certificate = await acme('certificates', {
 *   names: ['notes.example.com'],
 *   contact: 'ops@example.com',
 *   termsAgreed: true,
 * })
 */
export async function acme(directory: string, options: AcmeOptions): Promise<KeyPair> {
  const { names } = options
  refuseUnprovable(names)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const accountKey = accountKeyIn(directory)
  const files = keptAt(directory, names[0])
  return {
    ...(await pairIn(directory, files, { ...options, accountKey })),
    thumbprint: thumbprintOf(accountKey),
  }
}

async function pairIn(
  directory: string,
  files: Kept,
  options: AcmeOptions & { readonly accountKey: string },
): Promise<KeyPair> {
  const { names } = options
  const kept = existsSync(files.certificate) ? readPair(files) : undefined
  const renewing = renewal()
  const made = renewing?.made.get(files.certificate)
  if (made) return made
  if (!renewing || (kept && !renewing.all && !isDue(kept, names)))
    return kept ?? (await authority(join(directory, 'before-the-first'))).keyPair({ names })
  const pair = renewing.check ? await standIn(names) : keep(files, await ordered(options))
  renewing.made.set(files.certificate, pair)
  return pair
}

async function ordered(options: AcmeOptions & { readonly accountKey: string }) {
  const { order } = await import('./order.ts')
  return order({ server: LETS_ENCRYPT, ...options })
}

/** What is like the one that would be ordered, for who looks at what it would change. */
async function standIn(names: AcmeOptions['names']): Promise<KeyPair> {
  const { issueAuthority, issueLeaf } = await import('./issue.ts')
  return pairOf(await issueLeaf(await issueAuthority('nobody'), { names, addresses: [] }))
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
    keepFile(path, String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600)
  }
  return readFileSync(path, 'utf8')
}

/** As in RFC 7638: the members that the kind of key needs, in the order of their names. */
function thumbprintOf(key: string): string {
  const { crv, kty, x, y } = createPublicKey(key).export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

function refuseUnprovable(names: readonly string[]): void {
  const wrong = names.find((name) => hostname.check(name) === undefined)
  if (wrong === undefined) return
  throw new Problem(`No ACME server can be shown by HTTP that ${JSON.stringify(wrong)} is yours`, {
    where: 'acme, names',
    next: 'Write each DNS name in full; one with * needs a certificate from elsewhere: pemPair(…).',
  })
}
