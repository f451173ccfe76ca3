import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyPair } from '../model/fields.ts'
import { Secret } from '../shell/secret.ts'
import type { Issued } from './issue.ts'

/** Where a certificate and its key are kept on this machine. */
export interface Kept {
  readonly certificate: string
  readonly key: string
}

export function keptAt(directory: string, name: string): Kept {
  return { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
}

export function readPair({ certificate, key }: Kept): KeyPair {
  return { certificate: readFileSync(certificate, 'utf8'), key: new Secret(() => readFileSync(key, 'utf8')) }
}

/** The key first: a certificate without its key would be taken for good. */
export function keep(files: Kept, { certificate, key }: Issued): KeyPair {
  keepFile(files.key, key, 0o600)
  keepFile(files.certificate, certificate, 0o644)
  return readPair(files)
}

export function keepFile(path: string, text: string, mode: number): void {
  const at = `${path}.${process.pid}`
  writeFileSync(at, text, { mode })
  renameSync(at, path)
}

/** A pair that is in no file. */
export function pairOf({ certificate, key }: Issued): KeyPair {
  return { certificate, key: new Secret(() => key) }
}
