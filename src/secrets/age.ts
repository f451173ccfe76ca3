import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../model/problem.ts'
import { Secret } from '../shell/secret.ts'
import { decrypted } from './age-worker.ts'
import { attend } from './attention.ts'

export interface AgeOptions {
  /**
   * A file with identities (`AGE-SECRET-KEY-1…`, a line each, `#` for comments), or such text as a Secret.
   * @default $PROVISION_AGE_IDENTITY, $SOPS_AGE_KEY_FILE, ~/.config/sops/age/keys.txt: the first of them that is set or there
   */
  readonly identity?: string | Secret
  /** Of a file that was encrypted with `age --passphrase`; such a file needs no identity. */
  readonly passphrase?: Secret
}

/** A file encrypted with age, binary or armored, without the line break at its end. It is decrypted in memory, never to a disk. */
export function age(path: string, { identity, passphrase }: AgeOptions = {}): Secret {
  attend()
  return new Secret(() => {
    const file = bytesOf(path, `The secret file ${path}`, 'Give its path, from where the command is given.')
    if (!AGE.test(file.toString('latin1')))
      throw new Problem(`The secret file ${path} is not encrypted with age`, {
        next: 'Encrypt it: age --encrypt --recipient age1… --output FILE',
      })
    const keys = passphrase
      ? { passphrase: passphrase.reveal() }
      : { identities: identitiesIn(identity, path) }
    const { text, fault } = decrypted({ file, ...keys })
    if (text !== undefined) return text.replace(/\r?\n$/, '')
    throw new Problem(`The secret file ${path} cannot be decrypted: ${Secret.redact(fault ?? '')}`, {
      next: passphrase
        ? 'Is it the passphrase of this file?'
        : `Is it encrypted for the identity in ${typeof identity === 'string' ? identity : 'use'}? age-keygen -y shows its recipient.`,
    })
  })
}

/** The library has words that show the first line of anything else. */
const AGE = /^(age-encryption\.org\/v1\n|\s*-----BEGIN AGE ENCRYPTED FILE-----)/

function identitiesIn(given: string | Secret | undefined, path: string): readonly string[] {
  const from = given ?? usual()
  const text =
    from instanceof Secret
      ? from.reveal()
      : bytesOf(from, `The age identity for ${path}`, NO_IDENTITY).toString()
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const found = lines.filter((line) => line.startsWith('AGE-SECRET-KEY-'))
  // The library has words that show a damaged one.
  if (found.length > 0) return found.map((line) => new Secret(() => line).reveal())
  throw new Problem(
    `There is no age identity in ${from instanceof Secret ? 'the secret that was given' : from}`,
    {
      next: 'It should hold a line AGE-SECRET-KEY-1…, as age-keygen writes it. Keys of ssh and plugins are not read here: use secret.command("age", "--decrypt", …).',
    },
  )
}

function usual(): string {
  const set = process.env['PROVISION_AGE_IDENTITY'] || process.env['SOPS_AGE_KEY_FILE']
  return set || join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'sops/age/keys.txt')
}

const NO_IDENTITY = 'Give the path of the identities, or set $PROVISION_AGE_IDENTITY to it.'

function bytesOf(path: string, what: string, next: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Problem(`${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      next,
    })
  }
}
