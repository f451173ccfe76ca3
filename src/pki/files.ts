import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyPair } from '../model/inventory/fields.ts'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import type { Issued } from './issue.ts'

/**
 * A certificate from elsewhere: `NAME.pem`, with the chain above it, and `NAME.key`.
 *
 * @param path without the endings
 * @example
 * inventory(inventorySchema({ certificate: keyPair, lb: hosts() }), {
 *   certificate: pemPair('certificates/shop.example.com'),
 *   lb: { hosts: { lb1: { address: '10.0.0.11' } } },
 * })
 */
export function pemPair(path: string): KeyPair {
  return { certificate: pemFile(`${path}.pem`), key: new Secret(() => pemFile(`${path}.key`)) }
}

/**
 * The text of a PEM file.
 *
 * @throws Problem if the file does not exist or holds no PEM
 * @example file('/etc/ssl/authority.pem', pemFile('certificates/authority.pem'))
 */
export function pemFile(path: string): string {
  const text = textOf(path)
  if (text.includes('-----BEGIN ')) return text
  throw new Problem(`${path} holds no PEM`, { next: 'It should have a line that begins with -----BEGIN.' })
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Problem(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      next: 'Put the file there; its path counts from where the command is run.',
    })
  }
}

/** The files of a certificate and its key on this machine. */
export interface KeyPairFiles {
  readonly certificate: string
  readonly key: string
}

export function keyPairFiles(directory: string, name: string): KeyPairFiles {
  return { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
}

export function readKeyPair({ certificate, key }: KeyPairFiles): KeyPair {
  return { certificate: readFileSync(certificate, 'utf8'), key: new Secret(() => readFileSync(key, 'utf8')) }
}

/** Writes the key first: a certificate without its key would count as complete. */
export function writeKeyPair(files: KeyPairFiles, { certificate, key }: Issued): KeyPair {
  replaceFile(files.key, key, 0o600)
  replaceFile(files.certificate, certificate, 0o644)
  return readKeyPair(files)
}

/** Replaces a file atomically. */
export function replaceFile(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text, { mode })
  renameSync(temporary, path)
}

/** A pair that is in memory only. */
export function keyPairInMemory({ certificate, key }: Issued): KeyPair {
  return { certificate, key: new Secret(() => key) }
}
