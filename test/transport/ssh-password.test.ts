import { once } from 'node:events'
import { expect } from 'chai'
import ssh2, { type AuthContext } from 'ssh2'
import { Secret } from '../../src/shell/secret.ts'
import { Unreachable } from '../../src/transport/errors.ts'
import { fingerprint } from '../../src/transport/ssh/encoding.ts'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'

describe('a password', () => {
  const { private: hostKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519')
  const pin = fingerprint(Buffer.from(publicKey.split(' ')[1] ?? '', 'base64'))

  /** Logs in to a server with this decision, and returns the methods that the server saw. */
  async function attempt(decide: (auth: AuthContext) => void, password?: string): Promise<readonly string[]> {
    const seen: string[] = []
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      client.on('error', () => {})
      client.on('authentication', (auth) => {
        seen.push(auth.method)
        decide(auth)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    try {
      const secret = password === undefined ? undefined : new Secret(() => password)
      const transport = sshTransport({
        agent: false,
        password: secret,
        configFile: '/dev/null',
        identityFiles: [],
      })
      const connection = await transport.connect({
        name: 'web1',
        host: '127.0.0.1',
        port,
        user: 'me',
        hostKey: pin,
      })
      await connection.close()
    } finally {
      server.close()
    }
    return seen
  }

  const isRight = (auth: AuthContext) => auth.method === 'password' && auth.password === 'sesame'

  it('is sent without a query of the accepted methods', async () => {
    expect(
      await attempt((auth) => (isRight(auth) ? auth.accept() : auth.reject(['password'])), 'sesame'),
    ).to.deep.equal(['password'])
  })

  it('is sent by keyboard-interactive if the server supports nothing else', async () => {
    const methods = await attempt((auth) => {
      if (auth.method !== 'keyboard-interactive') return auth.reject(['keyboard-interactive'])
      auth.prompt([{ prompt: 'Password:', echo: false }], ([answer]) =>
        answer === 'sesame' ? auth.accept() : auth.reject(),
      )
    }, 'sesame')
    expect(methods.at(-1)).to.equal('keyboard-interactive')
  })

  it('that is wrong is rejected, and not part of the message', async () => {
    const error = await attempt((auth) => auth.reject(['password', 'publickey']), 'open').catch(
      (error: unknown) => error,
    )
    if (!(error instanceof Unreachable)) throw error
    const text = [error.message, ...error.details, error.next].join('\n')
    expect(text)
      .to.contain('the password: refused')
      .and.contain('it accepts: password, publickey')
      .and.not.contain('open')
  })

  it('is not needed if the server accepts every login', async () => {
    expect(await attempt((auth) => (auth.method === 'none' ? auth.accept() : auth.reject()))).to.deep.equal(['none'])
  })
})
