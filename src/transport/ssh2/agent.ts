import { createConnection } from 'node:net'
import type { Clock } from '../clock.ts'
import { SshReader } from '../ssh/encoding.ts'

export interface AgentKey {
  readonly key: Buffer
  readonly comment: string
}

/**
 * The keys that an agent holds, in its order. Asked by hand, for ssh2 leaves out without a word those it cannot use:
 * certificates and security keys.
 *
 * @throws Error when nobody answers at the socket
 */
export async function agentKeys(socket: string, clock: Clock): Promise<readonly AgentKey[]> {
  const answer = await ask({ path: socket, clock }, REQUEST_IDENTITIES)
  if (answer[0] !== IDENTITIES_ANSWER) throw new Error('the agent refused to list its keys')
  const reader = new SshReader(answer, 1)
  return Array.from({ length: reader.number() }, () => ({
    key: reader.string(),
    comment: reader.string().toString(),
  }))
}

// draft-ietf-sshm-ssh-agent, section 6.1
const REQUEST_IDENTITIES = 11
const IDENTITIES_ANSWER = 12
/** Milliseconds. */
const TIMEOUT = 5_000

function ask(
  { path, clock }: { readonly path: string; readonly clock: Clock },
  question: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    let answer = Buffer.alloc(0)
    const fail = (error: Error) => {
      limit.end()
      socket.destroy()
      reject(error)
    }
    const limit = clock.limit({
      ms: TIMEOUT,
      progress: () => socket.bytesRead,
      expire: () => fail(new Error('the agent does not answer')),
    })
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the agent hung up')))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length < 4 || answer.length < 4 + answer.readUInt32BE(0)) return
      resolve(answer.subarray(4, 4 + answer.readUInt32BE(0)))
      socket.destroy()
    })
    socket.write(Buffer.from([0, 0, 0, 1, question]))
  })
}
