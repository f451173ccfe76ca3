import { readFileSync } from 'node:fs'
import type { KeyPair } from '../model/fields.ts'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'

/**
 * A certificate that comes from elsewhere: `NAME.pem`, with the chain above it, and `NAME.key`.
 *
 * @param path without the endings
 * @example
 * inventory(inventorySchema({ certificate: keyPair, lb: hosts() }), {
 *   certificate: pemPair('certificates/notes.example.com'),
 *   lb: { hosts: { lb1: { address: '10.0.0.11' } } },
 * })
 */
export function pemPair(path: string): KeyPair {
  return { certificate: pemFile(`${path}.pem`), key: new Secret(() => pemFile(`${path}.key`)) }
}

/**
 * The text of a PEM file.
 *
 * @throws Problem when it is not there, or holds no PEM
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
