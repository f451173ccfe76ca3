import type { IncomingMessage } from 'node:http'
import { HttpProblem } from './problem.ts'

/** The maximum size of a request body in bytes. */
export const bodyLimit = 16 * 1024

/** @throws HttpProblem 400, 413 or 415 */
export async function jsonBody(request: IncomingMessage): Promise<unknown> {
  // A page of another site cannot send this type without a CORS preflight, so forged requests are rejected.
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new HttpProblem('Send JSON, with the header content-type: application/json.', {
      status: 415,
      code: 'not-json',
    })
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a request gives bytes')
    length += chunk.length
    if (length > bodyLimit) throw tooLarge()
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new HttpProblem('The body is not JSON.', { status: 400, code: 'not-json' })
  }
}

/** The rest of the body is not read, so the connection cannot be reused. */
function tooLarge(): HttpProblem {
  return new HttpProblem(`The body is larger than ${bodyLimit} bytes.`, {
    status: 413,
    code: 'too-large',
    headers: { connection: 'close' },
  })
}
