import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { Unreachable } from '../../src/transport/errors.ts'
import type { OpensshOptions } from '../../src/transport/openssh/options.ts'
import { opensshTransport } from '../../src/transport/openssh/transport.ts'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Connection, Target } from '../../src/transport/transport.ts'
import { thrown } from './helpers.ts'
import { freePort, keygen, noSshd, Sshd, Workshop } from './sshd.ts'

describe("the user's own ssh", () => {
  const shop = new Workshop()
  let sshd: Sshd
  let target: Target
  before(async function () {
    const why = noSshd()
    if (why) {
      console.log(`    skipped: ${why}`)
      this.skip()
    }
    for (const name of ['me', 'stranger', 'host', 'ca', 'badge']) shop.key(name)
    shop.key('host-rsa', { type: 'rsa' })
    shop.key('host-ca')
    // Only the certificate allows this key: it is in no authorized_keys.
    keygen('-q', '-s', shop.file('ca'), '-I', 'ana', '-n', 'root', '-V', '+5m', `${shop.file('badge')}.pub`)
    keygen('-q', '-s', shop.file('host-ca'), '-I', 'web1', '-h', '-n', 'web1.test', `${shop.file('host')}.pub`)
    sshd = await Sshd.start({
      workshop: shop,
      hostKeys: ['host', 'host-rsa'],
      users: ['me'],
      config: [
        `TrustedUserCAKeys ${shop.file('ca')}.pub`,
        `HostCertificate ${shop.file('host')}-cert.pub`,
        'MaxStartups 3:100:3',
      ],
    })
    const hostKey = shop.fingerprint('host')
    const identityFile = shop.file('me')
    target = { name: 'web1', host: '127.0.0.1', port: sshd.port, user: 'root', identityFile, hostKey }
  })
  after(async () => {
    await sshd?.stop()
    shop.dispose()
  })

  const common: OpensshOptions = { agent: false, configFile: '/dev/null' }
  const connect = (more: Partial<Target> = {}, options: OpensshOptions = {}): Promise<Connection> =>
    opensshTransport({ ...common, ...options }).connect({ ...target, ...more })
  const said = async (connection: Connection, command: string) => text((await connection.start(command)).stdout)
  const trouble = async (more: Partial<Target>, options: OpensshOptions = {}): Promise<Unreachable> => {
    const error = await thrown(connect(more, options))
    if (!(error instanceof Unreachable)) throw new Error(`no trouble: ${error}`)
    return error
  }
  const unpinned = ({ hostKey: _, ...rest }: Target, more: Partial<Target> = {}): Target => ({
    ...rest,
    ...more,
  })

  it('logs in with a certificate, unlike ssh2', async () => {
    const identityFile = shop.file('badge')
    const connection = await connect({ identityFile })
    expect(await said(connection, 'echo in')).to.equal('in\n')
    await connection.close()
    const refused = await thrown(sshTransport({ agent: false }).connect({ ...target, identityFile }))
    expect(refused).to.be.instanceOf(Unreachable).with.property('reason', 'authentication')
  })

  it('accepts a host certificate', async () => {
    const authority = `@cert-authority web1.test ${shop.publicKey('host-ca')}\n`
    const configFile = shop.file('alias', 'Host web1\n HostName 127.0.0.1\n HostKeyAlias web1.test\n')
    const knownHosts = [shop.file('authorities', authority)]
    const connection = await opensshTransport({ ...common, configFile, knownHosts }).connect(
      unpinned(target, { host: 'web1' }),
    )
    await connection.close()
  })

  it('logs in once for all commands', async () => {
    const connection = await connect()
    const [first, second] = await Promise.all(['1', '2'].map(() => said(connection, 'echo $SSH_CONNECTION')))
    expect(first).to.match(/^127\.0\.0\.1 \d+ /)
    expect(second).to.equal(first)
    await connection.close()
  })

  it('reports the exit of a command, and counts bytes', async () => {
    const connection = await connect()
    const remote = await connection.start('cat >/dev/null; echo out; echo err >&2; exit 3')
    remote.stdin.end(Buffer.alloc(100_000))
    expect(await Promise.all([text(remote.stdout), text(remote.stderr)])).to.deep.equal(['out\n', 'err\n'])
    expect(await remote.exit).to.deep.equal({ code: 3 })
    expect(await (await connection.start('exit 255')).exit).to.deep.equal({ code: 255 })
    expect(connection.traffic).to.deep.equal({ sent: 100_000, received: 8 })
    await connection.close()
  })

  it('can destroy a command without an effect on the connection', async () => {
    const connection = await connect()
    const remote = await connection.start('exec cat')
    remote.destroy()
    expect((await remote.exit).lost).to.equal(undefined)
    expect(await said(connection, 'echo on')).to.equal('on\n')
    await connection.close()
  })

  it('uses the jump hosts of ssh_config unless the inventory sets some or none', async () => {
    const configFile = shop.file('detour')
    writeFileSync(configFile, 'Host *\n ProxyJump nowhere.invalid\n')
    expect((await trouble({}, { configFile, retries: 0 })).details.join('\n')).to.include('nowhere.invalid')
    const connection = await connect({ proxyJump: [] }, { configFile })
    expect(await said(connection, 'echo here')).to.equal('here\n')
    await connection.close()
  })

  it('is closed with all its commands, and starts no more', async () => {
    const connection = await connect()
    const remote = await connection.start('exec cat')
    await connection.close()
    expect((await remote.exit).lost).to.equal('we closed the connection')
    expect(String(await thrown(connection.start('true')))).to.contain('web1 is lost: we closed the connection')
  })

  it('shares a login at a jump host while a host behind it is connected', async () => {
    const transport = opensshTransport(common)
    const proxyJump = [{ ...target, name: 'bastion' }]
    const connections = await Promise.all([1, 2].map(() => transport.connect({ ...target, proxyJump })))
    const logins = await Promise.all(
      connections.map((connection) => said(connection, 'pgrep -c -P $(ps -o ppid= $PPID)')),
    )
    // The sshd of this test serves one login at the jump host and one per connection.
    expect(logins.map(Number)).to.deep.equal([3, 3])
    await Promise.all(connections.map((connection) => connection.close()))
  })

  describe('accepts a host', () => {
    const judge = async (more: Partial<Target>, options: OpensshOptions = {}) => {
      try {
        await (await opensshTransport({ ...common, ...options }).connect(unpinned(target, more))).close()
        return 'let in'
      } catch (error) {
        if (error instanceof Unreachable && error.reason === 'host-key') return error
        throw error
      }
    }

    it('with the pinned key of each type, without known_hosts', async () => {
      const hostKey = shop.fingerprint('host-rsa')
      const revoked = `@revoked * ${shop.publicKey('host')}\n`
      expect(await judge({ hostKey }, { knownHosts: [shop.file('other', revoked)] })).to.equal('let in')
    })

    it('not with another key than the pinned one, even if known_hosts and ssh_config accept it', async () => {
      const hostKey = shop.fingerprint('stranger')
      const lines = `* ${shop.publicKey('host')}\n* ${shop.publicKey('host-rsa')}\n`
      const known = shop.file('all-known', lines)
      const configFile = shop.file(
        'trusting',
        `UserKnownHostsFile ${known}\nStrictHostKeyChecking no\nVerifyHostKeyDNS yes\nKnownHostsCommand /bin/cat ${known}\n`,
      )
      const error = await judge({ hostKey }, { configFile, knownHosts: [known] })
      expect(error).to.be.instanceOf(Unreachable)
      const { message, details } = error as Unreachable
      expect(message).to.equal('web1 presents another host key than the inventory')
      expect(details.join('\n')).to.include(hostKey).and.include(shop.fingerprint('host'))
    })

    it('with a known key', async () => {
      const known = `[127.0.0.1]:${sshd.port} ${shop.publicKey('host')}\n`
      expect(await judge({}, { knownHosts: [shop.file('known', known)] })).to.equal('let in')
    })

    it('with a new key only with accept-new, and saves it', async () => {
      const knownHosts = [shop.file('new')]
      const refused = await judge({}, { knownHosts })
      expect((refused as Unreachable).message).to.equal('The host key of web1 is unknown')
      expect(existsSync(shop.file('new'))).to.equal(false)
      expect(await judge({}, { knownHosts, hostKeys: 'accept-new' })).to.equal('let in')
      expect(readFileSync(shop.file('new'), 'utf8')).to.include(shop.publicKey('host'))
    })

    it('not with a changed key, whatever ssh_config says', async () => {
      const known = shop.file('changed', `[127.0.0.1]:${sshd.port} ${shop.publicKey('stranger')}\n`)
      const configFile = shop.file('careless', `StrictHostKeyChecking no\nUserKnownHostsFile ${known}\n`)
      for (const options of [{ configFile }, { knownHosts: [known], hostKeys: 'accept-new' as const }]) {
        const { message, details } = (await judge({}, options)) as Unreachable
        expect(message).to.equal('The host key of web1 has changed')
        expect(details.join('\n'))
          .to.include(shop.fingerprint('stranger'))
          .and.include(`${known}:1`)
          .and.include(shop.fingerprint('host'))
      }
    })
  })

  describe('reports why a login failed', () => {
    it('if no key is accepted', async () => {
      const error = await trouble({ identityFile: shop.file('stranger') })
      expect(error.reason).to.equal('authentication')
      expect(error.message).to.equal('web1 rejects the login')
      expect(error.details.join()).to.match(/Permission denied \(.*publickey/)
    })

    it('if nothing listens, without an address, and if the jump host cannot connect', async () => {
      const port = await freePort()
      expect((await trouble({ port })).message).to.equal('web1 refuses the connection')
      expect((await trouble({ host: 'no-such-host.invalid' })).reason).to.equal('address')
      const proxyJump = [{ ...target, name: 'bastion' }]
      expect((await trouble({ port, proxyJump })).message).to.equal('web1 refuses the connection from bastion')
      const broken = [{ ...target, name: 'bastion', port }]
      expect((await trouble({ proxyJump: broken })).message).to.equal('bastion refuses the connection')
    })

    it('if the host is frozen, in bounded time', async () => {
      sshd.process.kill('SIGSTOP')
      const error = await trouble({}, { connectTimeout: 1000, loginTimeout: 1000 })
      sshd.process.kill('SIGCONT')
      expect(error.reason).to.equal('timeout')
      expect(error.message).to.equal('web1 does not answer')
    })

    it('if it closes the connection at once, again and again', async () => {
      let calls = 0
      const server = createServer((socket) => {
        calls += 1
        socket.destroy()
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      expect((await trouble({ port }, { retries: 1 })).reason).to.equal('dropped')
      server.close()
      expect(calls).to.equal(2)
    })

    it('for an invalid configuration, and without ssh', async () => {
      const configFile = shop.file('broken', 'Nonsense yes\n')
      expect((await trouble({}, { configFile })).reason).to.equal('settings')
      const error = await trouble({}, { program: '/none/ssh', configFile: undefined })
      expect(error.message).to.equal('web1 uses the transport openssh, but this machine has no ssh')
    })
  })

  it('retries a host with too many pending logins', async () => {
    const transport = opensshTransport(common)
    const connections = await Promise.all(Array.from({ length: 8 }, () => transport.connect(target)))
    await Promise.all(connections.map((connection) => connection.close()))
  })

  it('uses a ProxyCommand of ssh_config, unlike ssh2', async () => {
    const config =
      'Host web1\n HostName 127.0.0.1\n ProxyCommand bash -c "exec 5<>/dev/tcp/%h/%p; cat <&5 & exec cat >&5"\n'
    const connection = await connect({ host: 'web1' }, { configFile: shop.file('proxied', config) })
    expect(await said(connection, 'echo in')).to.equal('in\n')
    await connection.close()
  })

  it('distinguishes a killed or stopped host from a command that ended', async () => {
    const killed = await (await connect()).start('kill -9 $PPID; exec sleep 60')
    expect((await killed.exit).lost).to.match(/closed|reset|ended/)
    const connection = await connect({}, { keepalive: { interval: 1000, misses: 1 } })
    const remote = await connection.start('echo $PPID; exec sleep 60')
    const [pid] = await once(remote.stdout, 'data')
    process.kill(Number(String(pid)), 'SIGSTOP')
    expect((await remote.exit).lost).to.contain('Timeout, server 127.0.0.1 not responding')
    process.kill(Number(String(pid)), 'SIGKILL')
    expect(await thrown(connection.start('true'))).to.be.instanceOf(Unreachable)
    await connection.close()
  })

  it('ends with its socket when this process is killed', async () => {
    const code = `
      import { opensshTransport } from ${JSON.stringify(`${import.meta.dirname}/../../src/transport/openssh/transport.ts`)}
      const connection = await opensshTransport(${JSON.stringify(common)}).connect(${JSON.stringify(target)})
      await connection.start('exec sleep 50.25')
      console.log('there')
      setInterval(() => {}, 1000)`
    const us = spawn(process.execPath, ['--import', 'tsx', '--input-type', 'module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(us.stdout, 'data')
    const ours = () =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).match(
        new RegExp(`ssh -N .*-S \\S+/provision-mux-\\S+ .*-p ${sshd.port} .*`, 'g'),
      ) ?? []
    const [master = ''] = ours()
    const [directory = ''] = /\S+provision-mux-\w+/.exec(master) ?? []
    expect(existsSync(directory)).to.equal(true)
    us.kill('SIGKILL')
    for (let attempt = 0; existsSync(directory) && attempt < 100; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect([existsSync(directory), ...ours()]).to.deep.equal([false])
  })
})
