import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/** PostgreSQL's own default. */
const ITERATIONS = 4096

/** What PostgreSQL keeps of a password. It takes this in place of one, so the password itself never travels. */
export function scramVerifier(
  password: string,
  salt: Buffer = randomBytes(16),
  iterations = ITERATIONS,
): string {
  const salted = pbkdf2Sync(prepared(password), salt, iterations, 32, 'sha256')
  const stored = createHash('sha256').update(keyed(salted, 'Client Key')).digest('base64')
  const server = keyed(salted, 'Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`
}

/** Whether this is what PostgreSQL would keep of the password, with whatever salt it was made. */
export function matchesVerifier(password: string, kept: string): boolean {
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(kept) ?? []
  if (!iterations || !salt) return false
  return scramVerifier(password, Buffer.from(salt, 'base64'), Number(iterations)) === kept
}

/** The part of SASLprep that matters for what people type. */
function prepared(password: string): string {
  return password
    .replace(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replace(/\u00ad|\u200b/g, '')
    .normalize('NFKC')
}

function keyed(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
