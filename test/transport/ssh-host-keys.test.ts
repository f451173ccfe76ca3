import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { Unreachable } from '../../src/transport/errors.ts'
import type { Ssh2Options } from '../../src/transport/ssh2/transport.ts'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Target } from '../../src/transport/transport.ts'
import { keygen, noSshd, Sshd, Workshop } from './sshd.ts'

describe('the key of a host', () => {
  const shop = new Workshop()
  let sshd: Sshd
  let name: string
  let target: Target

  before(async function () {
    const why = noSshd()
    if (why) {
      console.log(`    skipped: ${why}`)
      this.skip()
    }
    for (const type of ['ed25519', 'ecdsa', 'rsa']) shop.key(type, { type })
    for (const key of ['stranger', 'me']) shop.key(key)
    sshd = await Sshd.start({ workshop: shop, hostKeys: ['rsa', 'ecdsa', 'ed25519'], users: ['me'] })
    name = `[127.0.0.1]:${sshd.port}`
    target = { name: 'web1', host: '127.0.0.1', port: sshd.port, user: 'root', identityFile: shop.file('me') }
  })
  after(async () => {
    await sshd?.stop()
    shop.dispose()
  })

  let files = 0
  const knowing = (text: string) => shop.file(`known-${++files}`, text)

  async function connect(options: Ssh2Options, more: Partial<Target> = {}): Promise<void> {
    const transport = sshTransport({ agent: false, configFile: '/dev/null', ...options })
    const connection = await transport.connect({ ...target, ...more })
    await connection.close()
  }

  async function refusal(options: Ssh2Options, more: Partial<Target> = {}): Promise<Unreachable> {
    const error = await connect(options, more).catch((error: unknown) => error)
    if (!(error instanceof Unreachable)) throw new Error(`no refusal: ${error}`)
    expect(error.reason).to.equal('host-key')
    return error
  }

  const whole = ({ message, details, next }: Unreachable) => [message, ...details, next].join('\n')

  it('is accepted if it is known', () => connect({ knownHosts: [knowing(`${name} ${shop.publicKey('ed25519')}\n`)] }))

  it('is rejected if it is unknown, with its fingerprint and the searched name', async () => {
    const file = knowing(`elsewhere ${shop.publicKey('stranger')}\n`)
    const text = whole(await refusal({ knownHosts: [file] }))
    expect(text).to.contain('The host key of web1 is unknown')
    expect(text)
      .to.contain(`ED25519 ${shop.fingerprint('ed25519')}`)
      .and.contain(`as ${name} in ${file}`)
    expect(text).to.contain(`root@127.0.0.1:${sshd.port}`)
  })

  it('is rejected if it has changed, with both fingerprints, the line, and a command', async () => {
    const file = knowing(`# first line\n${name} ${shop.publicKey('stranger')}\n`)
    const text = whole(await refusal({ knownHosts: [file], hostKeys: 'accept-new', ask: async () => true }))
    expect(text).to.contain('The host key of web1 has changed')
    expect(text).to.contain(shop.fingerprint('ed25519'))
    expect(text).to.contain(`${shop.fingerprint('stranger')} (${file}:2)`)
    const [command] = /ssh-keygen -f \S+ -R '[^']+'/.exec(text) ?? ['']
    expect(spawnSync('sh', ['-c', command]).status).to.equal(0)
    await connect({ knownHosts: [file], hostKeys: 'accept-new' })
  })

  it('is rejected if it was revoked, even if another line has it', async () => {
    const key = shop.publicKey('ed25519')
    const file = knowing(`${name} ${key}\n@revoked * ${key}\n`)
    const text = whole(await refusal({ knownHosts: [file], hostKeys: 'accept-new' }))
    expect(text).to.contain('revoked host key').and.contain(`${file}:2`)
  })

  it('is rejected if only a certificate authority is known', async () => {
    const file = knowing(`@cert-authority * ${shop.publicKey('stranger')}\n`)
    const text = whole(await refusal({ knownHosts: [file], hostKeys: 'accept-new' }))
    expect(text).to.contain('certificate').and.contain(`${file}:1`)
  })

  it('is requested with the known key type', async () => {
    for (const type of ['rsa', 'ecdsa', 'ed25519'])
      await connect({ knownHosts: [knowing(`${name} ${shop.publicKey(type)}\n`)] })
  })

  it('is not unknown if the host has a known key of another type', async () => {
    shop.key('old-ecdsa', { type: 'ecdsa' })
    const file = knowing(`${name} ${shop.publicKey('old-ecdsa')}\n`)
    expect(whole(await refusal({ knownHosts: [file], hostKeys: 'accept-new' }))).to.contain('has changed')
  })

  it('is found hashed, in the second file, and under a wildcard', async () => {
    const hashed = knowing(`${name} ${shop.publicKey('ecdsa')}\n`)
    keygen('-H', '-f', hashed)
    await connect({ knownHosts: [knowing(''), hashed] })
    await connect({ knownHosts: [knowing(`[127.0.0.*]:* ${shop.publicKey('rsa')}\n`)] })
  })

  it('is accepted by a line without the port; another key there is ignored', async () => {
    await connect({ knownHosts: [knowing(`127.0.0.1 ${shop.publicKey('ecdsa')}\n`)] })
    const file = knowing(`127.0.0.1 ${shop.publicKey('stranger')}\n`)
    expect(whole(await refusal({ knownHosts: [file] }))).to.contain('is unknown')
    await connect({ knownHosts: [file], hostKeys: 'accept-new' })
  })

  it('is saved by accept-new so that OpenSSH accepts it', async () => {
    for (const hash of ['no', 'yes']) {
      const file = knowing('')
      const config = shop.file('config', `HashKnownHosts ${hash}\n`)
      await connect({ knownHosts: [file], hostKeys: 'accept-new', configFile: config })
      expect(readFileSync(file, 'utf8').startsWith('|1|')).to.equal(hash === 'yes')
      expect(openssh(file)).to.equal(0)
      await connect({ knownHosts: [file] })
    }
  })

  it('is accepted once if it cannot be saved, with a warning', async () => {
    const warnings: string[] = []
    const file = `${knowing('')}/no-folder/known_hosts`
    await connect({ knownHosts: [file], hostKeys: 'accept-new', warn: (text) => warnings.push(text) })
    expect(warnings.join()).to.contain('The host key of web1 was not saved')
  })

  it('is accepted by the user, who is asked once', async () => {
    const file = knowing('')
    const questions: string[] = []
    const ask: Ssh2Options['ask'] = async (question) => {
      questions.push(Object.values(question).join(' '))
      return true
    }
    const transport = sshTransport({ agent: false, knownHosts: [file], configFile: '/dev/null', ask })
    for (let i = 0; i < 2; i++) await (await transport.connect(target)).close()
    expect(questions).to.deep.equal([`web1 ${name} ED25519 ${shop.fingerprint('ed25519')} ${file}`])
    expect(openssh(file)).to.equal(0)
  })

  it('is rejected and not saved if the user declines', async () => {
    const file = knowing('')
    await refusal({ knownHosts: [file], ask: async () => false })
    expect(readFileSync(file, 'utf8')).to.equal('')
  })

  it('waits for the user without a limit', () =>
    connect({
      knownHosts: [knowing('')],
      connectTimeout: 60_000,
      loginTimeout: 2_000,
      ask: () => new Promise((resolve) => setTimeout(() => resolve(true), 3_500)),
    }))

  it('causes no question with StrictHostKeyChecking yes', async () => {
    const configFile = shop.file('strict', 'StrictHostKeyChecking yes\n')
    await refusal({ configFile, knownHosts: [knowing('')], ask: async () => true })
  })

  it('is accepted by its fingerprint only, for each key type, without known_hosts', async () => {
    const knownHosts = [knowing(`${name} ${shop.publicKey('stranger')}\n`)]
    for (const type of ['ed25519', 'ecdsa', 'rsa']) await connect({ knownHosts }, { hostKey: shop.fingerprint(type) })
  })

  it('is rejected if the inventory has another fingerprint, with both', async () => {
    const knownHosts = [knowing(`${name} ${shop.publicKey('ed25519')}\n`)]
    const text = whole(await refusal({ knownHosts }, { hostKey: shop.fingerprint('stranger') }))
    expect(text).to.contain(shop.fingerprint('stranger')).and.contain(shop.fingerprint('ed25519'))
  })

  it('is looked up by its HostKeyAlias, which has no port', async () => {
    const configFile = shop.file('alias', 'HostKeyAlias the-web\n')
    const file = knowing('')
    await connect({ configFile, knownHosts: [file], hostKeys: 'accept-new' })
    expect(readFileSync(file, 'utf8')).to.match(/^the-web ssh-ed25519 /)
    expect(openssh(file, '-o', 'HostKeyAlias=the-web')).to.equal(0)
  })

  /** The exit status of OpenSSH's client with this known_hosts. */
  function openssh(file: string, ...more: readonly string[]): number | null {
    const options = [
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${file}`,
      'GlobalKnownHostsFile=/dev/null',
      'BatchMode=yes',
    ]
    const words = options.flatMap((option) => ['-o', option])
    const place = ['-F', '/dev/null', '-i', shop.file('me'), '-p', String(sshd.port), 'root@127.0.0.1', 'true']
    return spawnSync('ssh', [...words, ...more, ...place]).status
  }
})
