import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { run } from '../run.ts'

/** Makes a key pair unless there is one: `path` and `path.pub`. */
export async function keyPair(path: string, comment: string): Promise<void> {
  if (existsSync(`${path}.pub`)) return
  await mkdir(dirname(path), { recursive: true })
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path], { input: 'y\n' })
}

/** The public half as ssh writes it in its files: `ssh-ed25519 AAAA…`, without the comment. */
export async function publicKey(path: string): Promise<string> {
  const [type, blob] = (await readFile(`${path}.pub`, 'utf8')).split(' ')
  return `${type} ${blob}`
}

/** As ssh shows it: `SHA256:` and 43 characters. */
export function keyFingerprint(key: string): string {
  const [, blob = ''] = key.split(' ')
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64')
  return `SHA256:${digest.replace(/=+$/, '')}`
}
