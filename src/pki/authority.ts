import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyPair } from '../model/fields.ts'
import { Secret } from '../shell/secret.ts'
import type { Issued } from './issue.ts'

const DAY = 86_400_000

/** Certificates are made anew when they have less than this left. */
const RENEW_BEFORE = 30 * DAY

/** Those that were made anew in this process, when all are to be. */
let renewed: Set<string> | undefined

/** Every certificate that is asked for from now on is made anew once, whatever it has left; until the function that it returns is called. */
export function renewAll(): () => void {
  renewed = new Set()
  return () => {
    renewed = undefined
  }
}

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
 */
export async function authority(
  directory: string,
  { name = 'Provision' }: { readonly name?: string } = {},
): Promise<Authority> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const own = paths(directory, 'authority')
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
      const files = paths(directory, names[0].replace(/[^a-z0-9.-]|^authority$/gi, '_'))
      const wanted = renewed !== undefined && !renewed.has(files.certificate)
      if (wanted || !isGood(files.certificate, { names, addresses }, issuer.certificate)) {
        renewed?.add(files.certificate)
        const { issueLeaf } = await import('./issue.ts')
        keep(
          files,
          await issueLeaf(
            { certificate: issuer.certificate, key: issuer.key.reveal() },
            { names, addresses },
          ),
        )
      }
      return readPair(files)
    },
  }
}

interface Files {
  readonly certificate: string
  readonly key: string
}

function paths(directory: string, name: string): Files {
  return { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
}

function readPair({ certificate, key }: Files): KeyPair {
  return { certificate: readFileSync(certificate, 'utf8'), key: new Secret(() => readFileSync(key, 'utf8')) }
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

/** The key first: a certificate without its key would be taken for good. */
function keep(files: Files, { certificate, key }: Issued): void {
  for (const [path, text, mode] of [
    [files.key, key, 0o600],
    [files.certificate, certificate, 0o644],
  ] as const) {
    const at = `${path}.${process.pid}`
    writeFileSync(at, text, { mode })
    renameSync(at, path)
  }
}
