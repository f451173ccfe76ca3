import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { Unreachable } from '../../src/transport/errors.ts'
import { type Ssh2Options, sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Connection, Target } from '../../src/transport/transport.ts'
import { quickOnce } from './helpers.ts'
import { freePort, noSshd, Sshd, Workshop } from './sshd.ts'

describe('a jump host', () => {
  const shop = new Workshop()
  let [bastion, inner, web]: Sshd[] = []
  let files = 0

  before(async function () {
    const why = noSshd()
    if (why) {
      console.log(`    skipped: ${why}`)
      this.skip()
    }
    for (const name of ['bastion', 'inner', 'web', 'me', 'stranger']) shop.key(name)
    const start = (name: string) =>
      Sshd.start({ workshop: shop, hostKeys: [name], users: ['me'], config: ['LogLevel VERBOSE'] })
    ;[bastion, inner, web] = await Promise.all(['bastion', 'inner', 'web'].map(start))
  })
  after(async () => {
    await Promise.all([bastion, inner, web].map((sshd) => sshd?.stop()))
    shop.dispose()
  })

  const place = (name: string, sshd: Sshd | undefined): Target => ({
    name,
    host: '127.0.0.1',
    user: 'root',
    ...(sshd ? { port: sshd.port } : {}),
  })
  const line = (sshd: Sshd | undefined, key: string) => `[127.0.0.1]:${sshd?.port} ${shop.publicKey(key)}\n`
  const everybody = () => line(bastion, 'bastion') + line(inner, 'inner') + line(web, 'web')
  const options = (known: string, more: Ssh2Options = {}): Ssh2Options => ({
    agent: false,
    configFile: '/dev/null',
    identityFiles: [shop.file('me')],
    knownHosts: [shop.file(`known-${++files}`, known)],
    ...more,
  })
  const logins = (sshd: Sshd | undefined) =>
    readFileSync(shop.file(`sshd-${sshd?.port}.log`), 'utf8').split('Accepted publickey').length - 1

  async function output(connection: Connection, command: string): Promise<string> {
    const remote = await connection.start(command)
    const chunks: Buffer[] = []
    for await (const chunk of remote.stdout) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }

  async function trouble(target: Target, settings: Ssh2Options): Promise<Unreachable> {
    const error = await sshTransport(settings)
      .connect(target)
      .catch((error: unknown) => error)
    if (!(error instanceof Unreachable)) throw new Error(`no trouble: ${error}`)
    return error
  }

  it('forwards to the host', async () => {
    const connection = await sshTransport(options(everybody())).connect({
      ...place('web1', web),
      proxyJump: [place('bastion', bastion)],
    })
    expect(await output(connection, 'echo $SSH_CONNECTION')).to.contain(`127.0.0.1 ${web?.port}`)
    expect(connection.traffic.received).to.be.above(1000)
    expect(connection.traffic.sent).to.be.above(1000)
    await connection.close()
  })

  it('can be followed by another', async () => {
    const proxyJump = [place('bastion', bastion), place('inner', inner)]
    const before = [logins(bastion), logins(inner), logins(web)]
    const connection = await sshTransport(options(everybody())).connect({ ...place('web1', web), proxyJump })
    expect(await output(connection, 'echo here')).to.equal('here\n')
    await connection.close()
    expect([logins(bastion), logins(inner), logins(web)]).to.deep.equal(before.map((count) => count + 1))
  })

  it('is checked by its own name, as is the host behind it', async () => {
    const proxyJump = [place('bastion', bastion)]
    const noBastion = await trouble({ ...place('web1', web), proxyJump }, options(line(web, 'web')))
    expect(noBastion.message).to.equal('The host key of bastion is unknown')
    const wrongHost = await trouble(
      { ...place('web1', web), proxyJump },
      options(line(bastion, 'bastion') + line(web, 'bastion')),
    )
    expect(wrongHost.message).to.equal('The host key of web1 has changed')
  })

  it('has one login for all hosts behind it, which ends with the last', async () => {
    const before = logins(bastion)
    const transport = sshTransport(options(everybody()))
    const proxyJump = [place('bastion', bastion)]
    const connect = () => Promise.all([1, 2, 3, 4].map(() => transport.connect({ ...place('web1', web), proxyJump })))
    const [first, ...others] = await connect()
    await Promise.all(others.map((connection) => connection.close()))
    expect(first && (await output(first, 'echo still here'))).to.equal('still here\n')
    await first?.close()
    expect(logins(bastion)).to.equal(before + 1)
    await Promise.all((await connect()).map((connection) => connection.close()))
    expect(logins(bastion)).to.equal(before + 2)
  })

  it('is read from ssh_config, each host with its own settings', async () => {
    const config = shop.file(
      'config',
      [
        `Host web1\n HostName 127.0.0.1\n Port ${web?.port}\n ProxyJump inner\n HostKeyAlias the-web`,
        `Host inner\n HostName 127.0.0.1\n Port ${inner?.port}\n ProxyJump gate`,
        `Host gate\n HostName 127.0.0.1\n Port ${bastion?.port}\n HostKeyAlias the-gate`,
        `Host *\n User root\n IdentityFile ${shop.file('me')}\n ProxyJump gate\n`,
      ].join('\n'),
    )
    const known = `the-web ${shop.publicKey('web')}\nthe-gate ${shop.publicKey('bastion')}\n${line(inner, 'inner')}`
    const connection = await sshTransport(options(known, { configFile: config, identityFiles: undefined })).connect({
      name: 'web1',
      host: 'web1',
    })
    expect(await output(connection, 'echo $SSH_CONNECTION')).to.contain(String(web?.port))
    await connection.close()
  })

  it('is not used to reach itself, also by its address in the inventory', async () => {
    const config = shop.file(
      'config',
      [
        `Host gate\n HostName 127.0.0.1\n Port ${bastion?.port}\n HostKeyAlias the-gate`,
        `Host *\n User root\n IdentityFile ${shop.file('me')}\n ProxyJump gate\n`,
      ].join('\n'),
    )
    const known = `the-gate ${shop.publicKey('bastion')}\n`
    const before = logins(bastion)
    const transport = sshTransport(options(known, { configFile: config, identityFiles: undefined }))
    const connection = await transport.connect({ name: 'gate', host: '127.0.0.1', alias: 'gate' })
    expect(await output(connection, 'echo $SSH_CONNECTION')).to.contain(String(bastion?.port))
    await connection.close()
    expect(logins(bastion)).to.equal(before + 1)
  })

  it('does not delay small packets by 40 ms', async () => {
    const connection = await sshTransport(options(everybody())).connect({
      ...place('web1', web),
      proxyJump: [place('bastion', bastion)],
    })
    const remote = await connection.start('while read x; do echo out; echo err >&2; done')
    await quickOnce(async () => {
      remote.stdin.write('x\n')
      await Promise.all([once(remote.stdout, 'data'), once(remote.stderr, 'data')])
    })
    await connection.close()
  })

  it('reports that it cannot reach the host', async () => {
    const port = await freePort()
    const target = { ...place('web1', web), port, proxyJump: [place('bastion', bastion)] }
    const error = await trouble(target, options(everybody()))
    expect(error.reason).to.equal('refused')
    expect(error.message).to.equal('web1 refuses the connection from bastion')
    expect(error.details.at(-1)).to.contain(`root@127.0.0.1:${port} through bastion (root@127.0.0.1:${bastion?.port})`)
  })

  it('reports that it does not forward', async () => {
    const closed = await Sshd.start({
      workshop: shop,
      hostKeys: ['bastion'],
      users: ['me'],
      config: ['AllowTcpForwarding no'],
    })
    const error = await trouble(
      { ...place('web1', web), proxyJump: [place('bastion', closed)] },
      options(line(closed, 'bastion') + everybody()),
    )
    await closed.stop()
    expect(error.message).to.equal('The jump host does not forward to web1 from bastion')
    expect(error.next).to.contain('AllowTcpForwarding')
  })

  it('that is lost ends the connections behind it, with the reason', async () => {
    const proxyJump = [place('bastion', bastion)]
    const transport = sshTransport(options(everybody()))
    const connection = await transport.connect({ ...place('web1', web), proxyJump })
    const jump = await transport.connect({ ...place('bastion', bastion), proxyJump: [] })
    const remote = await connection.start('sleep 60')
    // The oldest child of that sshd is the login at the jump host.
    await output(jump, `kill $(ps -o pid= --sort start_time --ppid ${bastion?.process.pid} | head -1)`)
    expect((await remote.exit).lost).to.match(/closed the connection/)
    await Promise.all([connection.close(), jump.close()])
    await (await transport.connect({ ...place('web1', web), proxyJump })).close()
  })
})
