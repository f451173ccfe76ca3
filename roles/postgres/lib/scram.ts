import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/** PostgreSQL's own default. */
const ITERATIONS = 4096

/** Returns the verifier that PostgreSQL stores for a password. PostgreSQL accepts it in place of the password, which is never sent. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = ITERATIONS): string {
  const salted = pbkdf2Sync(prepare(password), salt, iterations, 32, 'sha256')
  const stored = createHash('sha256').update(keyed(salted, 'Client Key')).digest('base64')
  const server = keyed(salted, 'Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`
}

/** True if the stored verifier matches the password. */
export function matchesVerifier(password: string, kept: string): boolean {
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(kept) ?? []
  if (!iterations || !salt) return false
  return scramVerifier(password, Buffer.from(salt, 'base64'), Number(iterations)) === kept
}

/** Applies the part of SASLprep that matters for typed passwords. */
function prepare(password: string): string {
  return password
    .replace(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replace(/\u00ad|\u200b/g, '')
    .normalize('NFKC')
}

function keyed(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
