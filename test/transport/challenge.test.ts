import { existsSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { sh } from '../../src/shell/sh.ts'
import { BecomeFailed } from '../../src/transport/errors.ts'
import { localConnection } from '../../src/transport/local.ts'
import { opensshTransport } from '../../src/transport/openssh/transport.ts'
import { runInForeground } from '../../src/transport/session/foreground.ts'
import { openSession } from '../../src/transport/session/open.ts'
import { sshTransport } from '../../src/transport/ssh2/transport.ts'
import { thrown } from './helpers.ts'
import { canBePrivate, type PrivateMachine, privateMachine } from './private-machine.ts'
import { noSshd, Sshd, Workshop } from './sshd.ts'

const LOGIN_FILES =
  'The login shell of the user starts another program first: see ~/.bashrc and the files that it reads'

/** The errors for users whose login does not start a shell of root. */
const PROBLEMS: Readonly<Record<string, readonly [what: RegExp, next: RegExp]>> = {
  execsh: [/^sudo on web1 started a shell of execsh, not of root$/, new RegExp(LOGIN_FILES)],
  execcat: [/^sudo on web1 started no POSIX shell: it echoed its input$/, new RegExp(LOGIN_FILES)],
  reads: [/^The shell on web1 did not receive the whole script$/, /reads standard input: see ~\/\.bashrc/],
  expired: [/^The password or the account of the login user has expired on web1$/, /set a new password/],
  some: [/^sudo on web1 requires a password$/, /NOPASSWD for some commands is not enough/],
}

describe('a session verifies its shell', () => {
  const shop = new Workshop()
  let machine: PrivateMachine
  let sshd: Sshd

  before(async function () {
    if (noSshd() || !canBePrivate() || !existsSync('/usr/bin/sudo')) return this.skip()
    shop.key('host')
    shop.key('me')
    machine = await privateMachine(
      `${SETUP}\necho '${shop.publicKey('me')}' >/etc/login-keys; chmod 644 /etc/login-keys`,
    )
    sshd = await Sshd.start({
      workshop: shop,
      hostKeys: ['host'],
      users: [],
      config: ['AuthorizedKeysFile /etc/login-keys', 'UsePAM yes', 'PrintMotd no'],
      enter: machine.enter.split(' '),
      bashrc: true,
    })
  })
  after(async () => {
    await sshd?.stop()
    await machine?.close()
    shop.dispose()
  })

  const transports = {
    ssh2: () => sshTransport({ agent: false, configFile: '/dev/null' }),
    openssh: () => opensshTransport({ agent: false, configFile: '/dev/null' }),
  }
  for (const [name, transport] of Object.entries(transports)) {
    const linkOf = (user: string) =>
      transport().connect({
        name: 'web1',
        host: '127.0.0.1',
        port: sshd.port,
        user,
        identityFile: shop.file('me'),
        hostKey: shop.fingerprint('host'),
      })

    describe(`over ${name}`, () => {
      it('is root with sudo', async () => {
        const connection = await linkOf('good')
        const session = await openSession(connection, { host: 'web1', become: { method: 'sudo' } })
        const [result] = await session.run([{ script: sh`id -u` }])
        expect(result?.stdout.toString()).to.equal('0\n')
        await session.close()
        const said: string[] = []
        const onOutput = (_: string, piece: Buffer) => void said.push(piece.toString())
        await runInForeground(connection, {
          host: 'web1',
          become: { method: 'sudo' },
          script: sh`id -u`,
          onOutput,
        })
        expect(said.join('')).to.equal('0\n')
        await connection.close()
      })

      for (const [user, [what, next]] of Object.entries(PROBLEMS)) {
        it(`runs nothing for ${user}, with the reason`, async () => {
          const connection = await linkOf(user)
          const session = await openSession(connection, { host: 'web1', become: { method: 'sudo' } })
          const ran = '/run/homes/ran'
          const problem = await thrown(session.run([{ script: sh`echo session >>${ran}` }]))
          expect(problem, inspect(problem)).to.be.instanceOf(BecomeFailed)
          if (!(problem instanceof BecomeFailed)) return
          expect(problem.message).to.match(what)
          expect(problem.next).to.match(next)
          await session.close()
          const onOutput = (_: string, piece: Buffer) => expect.fail(`it was heard: ${piece}`)
          const command = {
            host: 'web1',
            become: { method: 'sudo' },
            script: sh`echo command >>${ran}`,
            onOutput,
          } as const
          const other = await thrown(runInForeground(connection, command))
          expect(other, inspect(other)).to.be.instanceOf(BecomeFailed)
          expect(String(other)).to.match(new RegExp(what.source.replace('^', '^Problem: ')))
          await connection.close()
          const looking = localConnection()
          const remote = await looking.start(`${machine.enter} test ! -e ${ran}`)
          expect(await remote.exit).to.deep.equal({ code: 0 })
          await looking.close()
        })
      }
    })
  }
})

const SETUP = `chmod 755 /run; mkdir -m 777 /run/homes; mkdir -p -m 755 /run/sshd
for u in good execsh execcat reads expired some; do useradd -m -k /nonexistent -d /run/homes/$u -s /bin/bash $u; echo "$u:secret" | chpasswd; done
echo 'exec bash --norc' >/run/homes/execsh/.bashrc
echo 'exec cat' >/run/homes/execcat/.bashrc
echo 'read -r a; read -r b' >/run/homes/reads/.bashrc
chage -d 0 expired
rm -f /etc/sudoers.d/* /etc/nologin /run/nologin
cat >/etc/sudoers <<'END'
good,execsh,execcat,reads,expired ALL=(ALL) NOPASSWD: ALL
some ALL=(ALL) NOPASSWD: /usr/bin/id
Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"
END`
