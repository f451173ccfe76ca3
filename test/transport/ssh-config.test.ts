import { userInfo } from 'node:os'
import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { jumpsIn } from '../../src/shell/proxy-jump.ts'
import { silenceLimit } from '../../src/transport/clock.ts'
import { interactiveArguments } from '../../src/transport/openssh/interactive.ts'
import { concerns, SshConfigReader } from '../../src/transport/ssh/config.ts'
import type { SshOptions } from '../../src/transport/ssh/settings.ts'
import { loginSettings } from '../../src/transport/ssh2/settings.ts'
import { settingsReader } from '../../src/transport/ssh2/transport.ts'
import type { Target } from '../../src/transport/transport.ts'
import { Workshop } from './sshd.ts'

describe('ssh_config', () => {
  const shop = new Workshop()
  const home = userInfo().homedir
  const web1: Target = { name: 'web1', host: 'web1' }
  after(() => shop.dispose())

  /** The settings that we read from `ssh -G` for the text. */
  async function settings(text: string, target: Target = web1, options: SshOptions = {}) {
    const warnings: string[] = []
    const { host, user, port } = target
    const reader = new SshConfigReader({ file: shop.file('config', text) })
    const config = await reader.read({ host, ...(user ? { user } : {}), ...(port ? { port } : {}) })
    return {
      ...loginSettings({ target, config, options: { ...options, warn: (text) => warnings.push(text) } }),
      warnings,
    }
  }

  it('gives host, port and user', async () => {
    const { host, port, user } = await settings('Host web1\n HostName 10.0.0.5\n Port 2222\n User deploy\n')
    expect({ host, port, user }).to.deep.equal({ host: '10.0.0.5', port: 2222, user: 'deploy' })
  })

  it('is overridden by the inventory', async () => {
    const target: Target = { ...web1, port: 23, user: 'me', identityFile: '/keys/mine' }
    const text = 'Host web1\n Port 2222\n User deploy\n IdentityFile /keys/theirs\n'
    const { port, user, identities } = await settings(text, target)
    expect({ port, user, files: identities.files }).to.deep.equal({
      port: 23,
      user: 'me',
      files: ['/keys/mine', '/keys/theirs'],
    })
  })

  it('is read with the user and port of the inventory, for Match', async () => {
    const text = 'Match user deploy\n HostName 10.0.0.9\n'
    expect((await settings(text, { ...web1, user: 'deploy' })).host).to.equal('10.0.0.9')
    expect((await settings(text, web1)).host).to.equal('web1')
  })

  it('gives several identity files with expanded tokens', async () => {
    const text =
      'Host *\n IdentityFile ~/.ssh/%r-%n\n IdentityFile "/a b/%h"\n IdentitiesOnly yes\n User u\n HostName h\n'
    const { files, named, only } = (await settings(text)).identities
    expect({ files, named, only }).to.deep.equal({
      files: [`${home}/.ssh/u-web1`, '/a b/h'],
      named: true,
      only: true,
    })
  })

  it('keeps the default identity files if it names none', async () => {
    const { files, named } = (await settings('Host *\n')).identities
    expect(files).to.deep.equal(['ed25519', 'ecdsa', 'rsa'].map((type) => `${home}/.ssh/id_${type}`))
    expect(named).to.equal(false)
  })

  it('names the agent by path, by variable, or not at all', async () => {
    process.env['PROVISION_TEST_AGENT'] = '/tmp/one'
    const agent = async (value: string) => (await settings(`IdentityAgent ${value}\n`)).identities.agent
    expect(await agent('/run/agent.%u')).to.equal(`/run/agent.${userInfo().username}`)
    expect(await agent('$PROVISION_TEST_AGENT')).to.equal('/tmp/one')
    expect(await agent('none')).to.equal(undefined)
    delete process.env['PROVISION_TEST_AGENT']
  })

  it('sets the known_hosts files and names', async () => {
    const text =
      'HostKeyAlias The-Web\nUserKnownHostsFile ~/kh /etc/kh2\nGlobalKnownHostsFile /etc/kh3\nHashKnownHosts yes\nPort 2222\n'
    const { name, plainName, userFiles, globalFiles, hash } = (await settings(text)).hostKey
    expect({ name, plainName, userFiles, globalFiles, hash }).to.deep.equal({
      name: 'the-web',
      plainName: undefined,
      userFiles: [`${home}/kh`, '/etc/kh2'],
      globalFiles: ['/etc/kh3'],
      hash: true,
    })
  })

  it('keeps a UserKnownHostsFile with a space in its name', async () => {
    const files = async (value: string) => (await settings(`UserKnownHostsFile ${value}\n`)).hostKey.userFiles
    expect(await files('"/etc/known hosts" ~/kh2')).to.deep.equal(['/etc/known hosts', `${home}/kh2`])
    expect(await files('known1 known2')).to.deep.equal(['known1', 'known2'])
    expect(await files('none')).to.deep.equal([])
  })

  it('applies beside user, port, key and host key of the inventory', async () => {
    const configFile = shop.file('config', 'ProxyJump bastion\nConnectTimeout 3\nHostKeyAlgorithms ssh-ed25519\n')
    const target = { ...web1, user: 'me', port: 23, identityFile: '/keys/mine', hostKey: 'SHA256:abc' }
    const { proxyJump, connectTimeout, hostKey } = await settingsReader({ configFile })(target)
    expect({ proxyJump, connectTimeout, algorithms: hostKey.algorithms }).to.deep.equal({
      proxyJump: [{ name: 'bastion', host: 'bastion' }],
      connectTimeout: 3000,
      algorithms: ['ssh-ed25519'],
    })
  })

  it('applies to the address and to the name in the inventory, which has precedence and does not change the address', async () => {
    const configFile = shop.file(
      'config',
      'Host web1\n HostName 10.9.9.9\n User named\n ProxyJump bastion\nHost 10.*\n User addressed\n Port 2222\n ProxyCommand nc %h %p\n',
    )
    const target = { name: 'web1', host: '10.0.0.5', alias: 'web1' }
    const { host, user, port, proxyJump } = await settingsReader({ configFile })(target)
    expect({ host, user, port, proxyJump }).to.deep.equal({
      host: '10.0.0.5',
      user: 'named',
      port: 2222,
      proxyJump: [{ name: 'bastion', host: 'bastion' }],
    })
    const config = new SshConfigReader({ file: configFile })
    expect((await interactiveArguments(target, { config })).join(' ')).to.equal(
      '-o user=named -o proxyjump=bastion -- 10.0.0.5',
    )
  })

  it('is overridden by the known_hosts and host key policy of the inventory', async () => {
    const target: Target = { ...web1, hostKeys: 'accept-new', knownHosts: ['~/site/known'] }
    const { hostKey, warnings } = await settings('StrictHostKeyChecking yes\nUserKnownHostsFile /etc/kh\n', target)
    expect([hostKey.unknown, hostKey.userFiles, warnings]).to.deep.equal(['accept', [`${home}/site/known`], []])
  })

  it('looks up a host by HostName and port without an alias', async () => {
    const { name, plainName } = (await settings('HostName 10.0.0.5\nPort 2222\n')).hostKey
    expect({ name, plainName }).to.deep.equal({ name: '[10.0.0.5]:2222', plainName: '10.0.0.5' })
  })

  it('sets the policy for unknown keys; "no" means accept-new, with a warning', async () => {
    const unknown = async (value: string) => (await settings(`StrictHostKeyChecking ${value}\n`)).hostKey.unknown
    expect(await unknown('yes')).to.equal('refuse')
    expect(await unknown('ask')).to.equal('ask')
    expect(await unknown('accept-new')).to.equal('accept')
    const off = await settings('StrictHostKeyChecking no\n')
    expect(off.hostKey.unknown).to.equal('accept')
    expect(off.warnings.join()).to.contain('treated as accept-new')
  })

  it('is overridden by the command line', async () => {
    const strict = await settings('StrictHostKeyChecking no\n', web1, { hostKeys: 'strict' })
    expect(strict.hostKey.unknown).to.equal('ask')
    expect(strict.warnings).to.deep.equal([])
    expect((await settings('User deploy\n', web1, { user: 'me' })).user).to.equal('me')
  })

  it('sets the timeouts, unless the inventory does', async () => {
    const text = 'ConnectTimeout 3\nServerAliveInterval 7\nServerAliveCountMax 2\n'
    const limits = async (text: string, more: Partial<Target> = {}) => {
      const { connectTimeout, loginTimeout, keepalive } = await settings(text, { ...web1, ...more })
      return { connectTimeout, loginTimeout, silence: silenceLimit(keepalive) }
    }
    expect(await limits(text)).to.deep.equal({ connectTimeout: 3_000, loginTimeout: 60_000, silence: 21_000 })
    expect(await limits('')).to.deep.equal({ connectTimeout: 10_000, loginTimeout: 60_000, silence: 60_000 })
    const timeouts = { factor: 2, login: '20s', keepalive: '90s' } as const
    expect(await limits(text, { connectTimeout: '4s', timeouts })).to.deep.equal({
      connectTimeout: 8_000,
      loginTimeout: 40_000,
      silence: 180_000,
    })
    expect(await limits(text, { timeouts: { factor: 2 } })).to.deep.equal({
      connectTimeout: 6_000,
      loginTimeout: 120_000,
      silence: 42_000,
    })
  })

  it('sets the jump hosts, unless the inventory does', async () => {
    const text = 'ProxyJump first,ops@second:2222\n'
    expect((await settings(text)).proxyJump).to.deep.equal([
      { name: 'first', host: 'first' },
      { name: 'second', host: 'second', user: 'ops', port: 2222 },
    ])
    expect((await settings(text, { ...web1, proxyJump: [] })).proxyJump).to.deep.equal([])
    expect((await settings('ProxyJump none\n')).proxyJump).to.deep.equal([])
  })

  it('is rejected with unsupported settings that change the reached or trusted host', async () => {
    for (const line of ['ProxyCommand nc %h %p', 'RevokedHostKeys /etc/ssh/revoked']) {
      const problem = await settings(`${line}\n`).catch((error: unknown) => error)
      expect(problem).to.be.instanceOf(Problem)
      expect(problem instanceof Problem && problem.details).to.deep.equal([`for web1: ${line}`])
    }
    expect((await settings('ProxyCommand nc %h %p\n', { ...web1, proxyJump: [] })).proxyJump).to.deep.equal([])
  })

  it('is reported with its line if ssh cannot read it', async () => {
    const problem = await settings('Host web1\n Prot 22\n').catch((error: unknown) => error)
    expect(problem).to.be.instanceOf(Problem)
    expect(problem instanceof Problem && problem.details.join()).to.match(/line 2: Bad configuration option: prot/)
  })

  it('is ignored if there is no ssh', async () => {
    const reader = new SshConfigReader({ file: shop.file('config', 'Port 23\n'), ssh: '/nowhere/ssh' })
    const config = await reader.read({ host: 'web1' })
    expect(loginSettings({ target: web1, config, options: {} }).port).to.equal(22)
  })

  describe('is queried for a host only', () => {
    const debian =
      'Include /etc/ssh/ssh_config.d/*.conf\nHost *\n SendEnv LANG LC_*\n HashKnownHosts yes\n GSSAPIAuthentication yes\n'

    it('not for the file of Debian', () => expect(concerns(debian, 'web1')).to.equal(false))
    it('not if it matches other hosts only', () =>
      expect(concerns('Host github.com\n User git\nHost *.lan !web*\n Port 23\n', 'web1')).to.equal(false))
    it('if a pattern matches the host', () => expect(concerns('Host db1 WEB?\n User deploy\n', 'web1')).to.equal(true))
    it('if a line precedes all Host lines', () => expect(concerns('User deploy\n', 'web1')).to.equal(true))
    it('if it has a Match or another Include', () => {
      expect(concerns('Match exec "true"\n', 'web1')).to.equal(true)
      expect(concerns('Include conf.d/*\n', 'web1')).to.equal(true)
    })
  })
})

describe('a ProxyJump', () => {
  it('names hosts with user and port, as URI and with IPv6 addresses', () => {
    expect(jumpsIn('ssh://ops@bastion:2222/,[fd00::1]:23,me@corp@fd00::2')).to.deep.equal([
      { host: 'bastion', user: 'ops', port: 2222 },
      { host: 'fd00::1', port: 23 },
      { host: 'fd00::2', user: 'me@corp' },
    ])
    expect(jumpsIn('none')).to.deep.equal([])
  })
})
