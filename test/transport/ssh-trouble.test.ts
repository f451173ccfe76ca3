import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import ssh2 from 'ssh2'
import { Unreachable } from '../../src/transport/errors.ts'
import { fingerprint } from '../../src/transport/ssh/encoding.ts'
import { connectError } from '../../src/transport/ssh2/errors.ts'
import { loginSettings } from '../../src/transport/ssh2/settings.ts'
import { type Ssh2Options, sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Target } from '../../src/transport/transport.ts'
import { freePort, noSshd, Sshd, Workshop } from './sshd.ts'

describe('a host that cannot be reached', () => {
  const target: Target = { name: 'web1', host: '127.0.0.1', user: 'root', proxyJump: [] }
  const common: Ssh2Options = { agent: false, configFile: '/dev/null', identityFiles: [], knownHosts: [] }
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    for (const server of servers.splice(0)) server.close()
  })

  async function listen(serve: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}))
      serve(socket)
    }).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  async function trouble(more: Partial<Target>, options: Ssh2Options = {}): Promise<Unreachable> {
    const transport = sshTransport({ ...common, ...options })
    const error = await transport.connect({ ...target, ...more }).catch((error: unknown) => error)
    if (!(error instanceof Unreachable)) throw new Error(`no trouble: ${error}`)
    return error
  }

  it('is reported if it has no address', async () => {
    const error = await trouble({ host: 'no-such-host.invalid' })
    expect(error.reason).to.equal('address')
    expect(error.message).to.contain('web1: no address was found')
  })

  it('is reported if nothing listens', async () => {
    const port = await freePort()
    const error = await trouble({ port })
    expect(error.reason).to.equal('refused')
    expect(error.message).to.equal('web1 refuses the connection')
    expect(error.details).to.deep.equal([`tried root@127.0.0.1:${port}`])
  })

  it('is reported if it sends no greeting', async () => {
    const port = await listen(() => {})
    const error = await trouble({ port }, { loginTimeout: 100 })
    expect(error.reason).to.equal('timeout')
    expect(error.message).to.equal('web1 accepts the connection but sends no SSH greeting')
    expect(error.details).to.contain('waited 0.1 s for the greeting')
  })

  it('is reported if the key exchange hangs', async () => {
    const port = await listen((socket) => socket.write('SSH-2.0-frozen\r\n'))
    const error = await trouble({ port }, { loginTimeout: 100 })
    expect(error.reason).to.equal('timeout')
    expect(error.message).to.contain('key exchange')
  })

  it('is reported if it is not an SSH server', async () => {
    const port = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect((await trouble({ port }, { retries: 0 })).next).to.contain('not an SSH server')
  })

  it('is reported after retries if it closes the connection before the greeting', async () => {
    let calls = 0
    const port = await listen((socket) => {
      calls += 1
      socket.destroy()
    })
    const error = await trouble({ port }, { retries: 1 })
    expect(error.reason).to.equal('dropped')
    expect(error.next).to.contain('MaxStartups')
    expect(calls).to.equal(2)
  })

  it('is reported if its jump hosts form a loop', async () => {
    const circle: Target[] = [{ name: 'a', host: 'a' }]
    const config = 'Host a\n ProxyJump b\nHost b\n ProxyJump a\n'
    const shop = new Workshop()
    const error = await trouble({ proxyJump: circle }, { configFile: shop.file('config', config) })
    shop.dispose()
    expect(error.message).to.equal('The jump hosts of web1 form a loop: a occurs twice')
  })

  it('is reported with the error of the operating system', () => {
    const settings = loginSettings({ target, config: new Map(), options: {} })
    const of = (code: string) => {
      const error = Object.assign(new Error(`connect ${code}`), { code })
      return connectError(error, { settings, through: undefined, notes: [] }).message
    }
    expect(of('EHOSTUNREACH')).to.equal('There is no route to web1')
    expect(of('ENETUNREACH')).to.equal('There is no route to web1')
    expect(of('ETIMEDOUT')).to.equal('web1 does not answer')
    expect(of('ECONNRESET')).to.equal('web1 closed the connection before the SSH greeting')
    expect(of('EMFILE')).to.equal('web1 cannot be reached: connect EMFILE')
  })

  it('is reported if the jump host does not answer the forward', async () => {
    const { port, hostKey, close } = await bastion()
    const proxyJump: Target[] = [{ name: 'bastion', host: '127.0.0.1', user: 'me', port, hostKey }]
    const error = await trouble({ proxyJump, port: 2222 }, { connectTimeout: 200, loginTimeout: 200 })
    close()
    expect(error.reason).to.equal('timeout')
    expect(error.message).to.equal('web1 does not answer from bastion')
  })

  describe('with a real sshd', () => {
    const shop = new Workshop()
    let sshd: Sshd
    let options: Ssh2Options
    let real: Partial<Target>
    before(async function () {
      const why = noSshd()
      if (why) {
        console.log(`    skipped: ${why}`)
        this.skip()
      }
      shop.key('host')
      shop.key('me')
      sshd = await Sshd.start({
        workshop: shop,
        hostKeys: ['host'],
        users: ['me'],
        config: ['MaxStartups 2:100:2'],
      })
      options = { identityFiles: [shop.file('me')] }
      real = { port: sshd.port, hostKey: shop.fingerprint('host') }
    })
    after(async () => {
      await sshd?.stop()
      shop.dispose()
    })

    it('is reported in bounded time while it is frozen, and connected afterwards', async () => {
      sshd.process.kill('SIGSTOP')
      const error = await trouble(real, { ...options, connectTimeout: 150, loginTimeout: 150 })
      sshd.process.kill('SIGCONT')
      expect(error.reason).to.equal('timeout')
      await (await sshTransport({ ...common, ...options }).connect({ ...target, ...real })).close()
    })

    it('is retried while it has too many pending logins', async () => {
      const transport = sshTransport({ ...common, ...options })
      const connections = await Promise.all(Array.from({ length: 8 }, () => transport.connect({ ...target, ...real })))
      await Promise.all(connections.map((connection) => connection.close()))
    })

    it('is lost in bounded time after its session was stopped', async () => {
      const keepalive = { interval: 50, misses: 3 }
      const connection = await sshTransport({ ...common, ...options, keepalive }).connect({
        ...target,
        ...real,
      })
      const remote = await connection.start('echo $PPID; exec sleep 60')
      const [pid] = await once(remote.stdout, 'data')
      process.kill(Number(String(pid)), 'SIGSTOP')
      expect((await remote.exit).lost).to.contain('no data for 0.2 s')
      process.kill(Number(String(pid)), 'SIGKILL')
      const error = await connection.start('true').catch((error: unknown) => error)
      expect(error).to.be.instanceOf(Unreachable).with.property('message').that.contains('web1 is lost: no data')
      await connection.close()
    })

    it('is reported at once after its session was killed', async () => {
      const connection = await sshTransport({ ...common, ...options }).connect({ ...target, ...real })
      const remote = await connection.start('kill -9 $PPID; exec sleep 60')
      expect((await remote.exit).lost).to.contain('the host closed the connection')
      await connection.close()
    })

    it('is not lost while a slow line is busy with our data', async () => {
      const proxy = await listen((socket) => slowly(socket, dial(sshd.port, '127.0.0.1')))
      const keepalive = { interval: 60, misses: 3 }
      const connection = await sshTransport({ ...common, ...options, keepalive }).connect({
        ...target,
        ...real,
        port: proxy,
      })
      const remote = await connection.start('wc -c')
      remote.stdin.end(Buffer.alloc(800_000))
      expect(await remote.exit).to.deep.equal({ code: 0 })
      await connection.close()
    })
  })

  /** Accepts every login and answers nothing. */
  async function bastion() {
    const keys = ssh2.utils.generateKeyPairSync('ed25519')
    const server = new ssh2.Server({ hostKeys: [keys.private] }, (client) => {
      client.on('error', () => {})
      client.on('authentication', (auth) => auth.accept())
      client.on('tcpip', () => {})
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const hostKey = fingerprint(Buffer.from(keys.public.split(' ')[1] ?? '', 'base64'))
    return { port, hostKey, close: () => server.close() }
  }

  /** A line with an upload of 16 KB per 10 ms. */
  function slowly(from: Socket, to: Socket): void {
    sockets.add(to.on('error', () => {}))
    to.pipe(from)
    from.on('data', (chunk: Buffer) => {
      from.pause()
      to.write(chunk)
      setTimeout(() => from.resume(), (chunk.length / 16_384) * 10)
    })
  }
})
