import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createConnection } from 'node:net'
import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { Secret } from '../../src/shell/secret.ts'
import { Unreachable } from '../../src/transport/errors.ts'
import { type Ssh2Options, sshTransport } from '../../src/transport/ssh2/transport.ts'
import type { Target } from '../../src/transport/transport.ts'
import { keygen, noSshd, Sshd, Workshop } from './sshd.ts'

describe('logging in', () => {
  const shop = new Workshop()
  const me = shop.file('me')
  const locked = shop.file('locked')
  let sshd: Sshd
  let agent: ChildProcess
  let target: Target
  let common: Ssh2Options
  const socket = shop.file('agent.sock')

  before(async function () {
    const why = noSshd()
    if (why) {
      console.log(`    skipped: ${why}`)
      this.skip()
    }
    for (const name of ['host', 'me', 'held', 'stranger', 'stranger2']) shop.key(name)
    shop.key('locked', { passphrase: 'sesame' })
    shop.key('pem', { type: 'rsa' })
    keygen('-p', '-q', '-m', 'PEM', '-P', '', '-N', 'sesame', '-f', shop.file('pem'))
    const users = ['me', 'held', 'locked', 'pem']
    sshd = await Sshd.start({ workshop: shop, hostKeys: ['host'], users, config: ['MaxAuthTries 3'] })
    const knownHosts = [shop.file('known', `[127.0.0.1]:${sshd.port} ${shop.publicKey('host')}\n`)]
    common = { agent: false, knownHosts, configFile: '/dev/null' }
    target = { name: 'web1', host: '127.0.0.1', port: sshd.port, user: 'root' }
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    while (!(await answers(socket))) await new Promise((resolve) => setTimeout(resolve, 5))
  })
  after(async () => {
    if (agent?.kill()) await once(agent, 'exit')
    await sshd?.stop()
    shop.dispose()
  })

  async function connect(options: Ssh2Options): Promise<void> {
    const connection = await sshTransport({ ...common, ...options }).connect(target)
    await connection.close()
  }

  async function refusal(options: Ssh2Options): Promise<string> {
    const error = await connect(options).catch((error: unknown) => error)
    if (!(error instanceof Unreachable)) throw new Error(`no refusal: ${error}`)
    expect(error.reason).to.equal('authentication')
    return [error.message, ...error.details, error.next].join('\n')
  }

  function hold(...names: readonly string[]): void {
    const run = (...words: readonly string[]) =>
      spawnSync('ssh-add', ['-q', ...words], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
    run('-D')
    for (const name of names) run(shop.file(name))
  }

  it('uses the first accepted key', () => connect({ identityFiles: [shop.file('stranger'), me] }))

  it('reports the rejected keys, the user, and a next step', async () => {
    const text = await refusal({ identityFiles: [shop.file('stranger'), shop.file('nowhere')] })
    expect(text).to.contain('web1 rejects the login of root')
    expect(text).to.contain(`${shop.file('stranger')} (ED25519 ${shop.fingerprint('stranger')}): refused`)
    expect(text).to.contain(`${shop.file('nowhere')}: not used, the file does not exist`)
    expect(text).to.contain('it accepts: publickey')
    expect(text).to.contain(`ssh-copy-id -p ${sshd.port} root@127.0.0.1`)
  })

  it('skips a key that others can read, with a note', async () => {
    chmodSync(shop.key('open'), 0o644)
    expect(await refusal({ identityFiles: [shop.file('open')] }))
      .to.contain('its mode 0644')
      .and.contain('chmod 600')
  })

  it('reports a file without a usable key', async () => {
    const files = [shop.file('rubbish', 'rubbish\n'), `${me}.pub`]
    chmodSync(`${me}.pub`, 0o600)
    const text = await refusal({ identityFiles: files })
    expect(text).to.contain('rubbish: not used, Unsupported key format').and.contain('name the private one')
    expect(text).to.contain('there is no key to offer')
  })

  it('reports an unsupported certificate', async () => {
    keygen('-q', '-s', me, '-I', 'id', '-n', 'root', `${shop.file('stranger')}.pub`)
    expect(await refusal({ identityFiles: [shop.file('stranger')] })).to.contain('stranger-cert.pub: not used')
  })

  it('reports too many keys, with the setting of the right one', async () => {
    const files = ['a', 'b', 'c', 'd'].map((name) => shop.key(`extra-${name}`))
    expect(await refusal({ identityFiles: [...files, me] }))
      .to.contain('too many keys')
      .and.contain('IdentitiesOnly')
  })

  describe('with a key that has a passphrase', () => {
    const asked: string[] = []
    const answer = (...words: readonly string[]): Ssh2Options => {
      asked.length = 0
      return {
        passphrase: async ({ file, attempt }) => {
          asked.push(`${file} ${attempt}`)
          const word = words[attempt - 1]
          return word === undefined ? undefined : new Secret(() => word)
        },
      }
    }

    it('asks once for all hosts', async () => {
      const transport = sshTransport({ ...common, identityFiles: [locked], ...answer('sesame') })
      const connections = await Promise.all([1, 2, 3].map(() => transport.connect(target)))
      await Promise.all(connections.map((connection) => connection.close()))
      expect(asked).to.deep.equal([`${locked} 1`])
    })

    it('asks again after a wrong passphrase, for OpenSSH and PEM keys', async () => {
      for (const file of [locked, shop.file('pem')]) {
        await connect({ identityFiles: [file], ...answer('nonsense', 'sesame') })
        expect(asked).to.deep.equal([`${file} 1`, `${file} 2`])
      }
    })

    it('reports that it is needed without a terminal, and that none was given', async () => {
      expect(await refusal({ identityFiles: [locked] })).to.contain(
        'needs a passphrase, and there is no terminal to ask for it',
      )
      expect(await refusal({ identityFiles: [locked], ...answer() })).to.contain('which was not given')
    })

    it('fails with the error of the question', async () => {
      const passphrase = () => Promise.reject(new Problem('no terminal'))
      const error = await connect({ identityFiles: [locked], passphrase }).catch((error: unknown) => error)
      expect(error).to.be.instanceOf(Problem).with.property('message', 'no terminal')
    })

    it('does not ask if the agent has the key', async () => {
      const held = spawnSync(
        'sh',
        ['-c', `SSH_ASKPASS_REQUIRE=force SSH_ASKPASS="$0" ssh-add -q "$1"`, askpass(), locked],
        {
          env: { ...process.env, SSH_AUTH_SOCK: socket },
        },
      )
      expect(held.status).to.equal(0)
      await connect({ identityFiles: [locked], agent: socket, ...answer('sesame') })
      expect(asked).to.deep.equal([])
    })

    function askpass(): string {
      const path = shop.file('askpass', '#!/bin/sh\necho sesame\n')
      chmodSync(path, 0o700)
      return path
    }
  })

  describe('with an agent', () => {
    it('uses its keys', () => {
      hold('held')
      return connect({ agent: socket, identityFiles: [] })
    })

    it('offers the configured key first, before the server reaches its limit', () => {
      hold('stranger', 'stranger2', 'extra-a', 'held')
      return connect({ agent: socket, identityFiles: [shop.file('held')] })
    })

    it('offers no other keys with IdentitiesOnly', async () => {
      hold('held')
      const configFile = shop.file('only', 'IdentitiesOnly yes\n')
      const text = await refusal({ agent: socket, configFile, identityFiles: [shop.file('stranger2')] })
      expect(text).to.not.contain('in the agent')
    })

    it('reports its unsupported keys', async () => {
      spawnSync('ssh-add', ['-D'], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      keygen('-q', '-s', me, '-I', 'id', '-n', 'root', `${shop.file('stranger2')}.pub`)
      hold('stranger2')
      const text = await refusal({ agent: socket, identityFiles: [] })
      expect(text).to.contain('"stranger2" in the agent').and.contain('ssh-ed25519-cert-v01@openssh.com): not used')
    })

    it('that does not answer is skipped, and reported if the login fails', async () => {
      await connect({ agent: shop.file('no.sock'), identityFiles: [me] })
      expect(await refusal({ agent: shop.file('no.sock'), identityFiles: [] })).to.contain('does not answer (ENOENT)')
    })
  })

  async function answers(path: string): Promise<boolean> {
    const attempt = createConnection(path)
    const open = await Promise.race([
      once(attempt, 'connect').then(() => true),
      once(attempt, 'close').then(() => false),
    ]).catch(() => false)
    attempt.destroy()
    return open
  }
})
