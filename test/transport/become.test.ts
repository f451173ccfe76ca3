import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import { Secret } from '../../src/shell/secret.ts'
import { sh } from '../../src/shell/sh.ts'
import { openSession } from '../../src/transport/session/open.ts'
import type { Become } from '../../src/transport/session/session.ts'
import { wordsOf } from '../support/words.ts'
import { thrown } from './helpers.ts'
import { canBePrivate, type PrivateMachine, privateMachine } from './private-machine.ts'

describe('becoming root', () => {
  let machine: PrivateMachine

  before(async function () {
    if (!canBePrivate() || !existsSync('/usr/bin/sudo')) return this.skip()
    machine = await privateMachine(SETUP)
  })
  after(() => machine?.close())

  const whoami = async (user: string, become: Become) => {
    const session = await openSession(machine.as(user), { host: 'web1', become, timeout: 60_000 })
    const [result] = await session.run([{ script: sh`id -un; echo $HOME; pwd` }])
    await session.close()
    return { said: result?.stdout.toString(), trips: session.trips }
  }
  const refused = async (user: string, become: Become) => {
    const problem = await thrown(whoami(user, become))
    if (!(problem instanceof Problem)) throw problem
    return `${problem.message} → ${problem.next}`
  }
  const password = new Secret(() => "it's a $ecret")
  const wrong = new Secret(() => 'wrong')
  const root = { said: 'root\n/root\n/\n', trips: 1 }

  it('uses sudo without a password, in the first trip', async () => {
    expect(await whoami('free', { method: 'sudo' })).to.deep.equal(root)
  })

  it('sends sudo the password it asks for', async () => {
    expect(await whoami('pass', { method: 'sudo', password })).to.deep.equal(root)
  })

  it('does not send the password if sudo does not ask, because the shell would read it', async () => {
    const session = await openSession(machine.as('free'), {
      host: 'web1',
      become: { method: 'sudo', password },
    })
    const [result] = await session.run([{ script: sh`echo a` }])
    expect([result?.stdout.toString(), result?.stderr.toString()]).to.deep.equal(['a\n', ''])
    await session.close()
  })

  it('needs no sudo when root has logged in', async () => {
    expect((await whoami('root', { method: 'sudo', password })).said).to.match(/^root\n/)
    expect((await whoami('root', { method: 'doas' })).said).to.match(/^root\n/)
  })

  it('reports a wrong password after one attempt', async () => {
    expect(await refused('pass', { method: 'sudo', password: wrong })).to.match(
      /sudo rejected the password on web1 → Give another/,
    )
  })

  it('rejects a password with a line break', async () => {
    const broken = new Secret(() => "it's\na $ecret")
    expect(
      await wordsOf(() => whoami('pass', { method: 'sudo', password: broken })),
    ).to.equal(`error: The sudo password for web1 contains a line break
   A prompt reads one line only: give the password in one line with \`--ask-become-password\`, or correct \`become.password\` in the inventory`)
  })

  it('reports the output of a command instead of a shell', async () => {
    const session = await openSession(machine.as('free'), {
      host: 'web1',
      become: { method: 'sudo' },
      shell: 'sh -c "echo no visitors after dark >&2; exit 3"',
    })
    expect(await wordsOf(() => session.opened)).to.equal(`error: sudo on web1 gave no shell: exit status 3
   no visitors after dark
   Log in manually and run sudo to see its error`)
    await session.close()
  })

  it('reports a missing password', async () => {
    expect(await refused('pass', { method: 'sudo' })).to.match(
      /sudo on web1 requires a password → .*--ask-become-password.*NOPASSWD/,
    )
  })

  it('reports that the login user may not use sudo', async () => {
    expect(await refused('daemon', { method: 'sudo' })).to.match(/requires a password|may not use sudo/)
    expect(await refused('plain', { method: 'sudo', password })).to.match(/The login user may not use sudo on web1 →/)
  })

  it('reports that sudo requires a terminal, with the setting that changes it', async () => {
    expect(await refused('notty', { method: 'sudo' })).to.match(/requires a terminal \(requiretty\) → .*!requiretty/)
  })

  it('reports that sudo is missing', async () => {
    const connection = machine.as('free')
    const without = {
      ...connection,
      start: (command: string) => connection.start(command.replaceAll('sudo ', 'sudoless ')),
    }
    const session = await openSession(without, { host: 'web1', become: { method: 'sudo' } })
    expect(String(await thrown(session.opened))).to.equal('Problem: There is no sudo on web1')
  })

  it('uses doas without a password, and reports that it requires one', async function () {
    if (!existsSync('/usr/bin/doas')) return this.skip()
    expect((await whoami('free', { method: 'doas' })).said).to.match(/^root\n/)
    expect(await refused('pass', { method: 'doas' })).to.match(/doas on web1 requires a password → .*permit nopass/)
    expect(await refused('plain', { method: 'doas' })).to.match(/may not use doas/)
  })

  it('sends su the password it asks for', async () => {
    expect((await whoami('plain', { method: 'su', password })).said).to.match(/^root\n/)
    expect(await refused('plain', { method: 'su' })).to.match(/su on web1 requires a password/)
  })

  it('kills a script of root for its timeout from another shell', async () => {
    for (const become of [{ method: 'sudo', password } as const, { method: 'su', password } as const]) {
      const session = await openSession(machine.as('pass'), { host: 'web1', become })
      const script = { script: sh`sleep 30; echo no`, mode: 'isolated' as const, timeout: 30 }
      const results = await session.run([script, { script: sh`echo on` }])
      expect(results.map(({ code, timedOut }) => `${code} ${timedOut}`)).to.deep.equal(['137 true', '0 false'])
      await session.close()
    }
  })

  it('runs an isolated script as another user, with its home and groups, also where setpriv cannot', async () => {
    const script = sh`id -un; id -Gn; echo $HOME $USER; pwd; umask; cat`
    // Searched in this order; busybox's setpriv has no --version either.
    const ways = [sh`:`, sh`mount --bind /etc/passwd /usr/bin/setpriv`, sh`mount --bind /etc/passwd /usr/sbin/runuser`]
    const sessions = await Promise.all(ways.map(() => openSession(machine.as('root'), { host: 'web1' })))
    await Promise.all(sessions.map(({ opened }) => opened))
    for (const [i, session] of sessions.entries()) {
      const [, one, none] = await session.run([
        { script: ways[i] ?? sh`:` },
        { script, as: 'plain', mode: 'isolated', input: Buffer.from('in') },
        { script, as: 'nemo', mode: 'isolated' },
      ])
      expect(one?.stdout.toString(), one?.stderr.toString()).to.match(/^plain\nplain extra\n\/tmp plain\n\/\n0022\nin$/)
      expect([none?.code, none?.stderr.toString()]).to.deep.equal([1, 'there is no user nemo on this host\n'])
    }
    await sessions[0]?.run([{ script: sh`umount /usr/bin/setpriv /usr/sbin/runuser` }])
    await Promise.all(sessions.map((session) => session.close()))
  })

  it('warns about a sudo that logs its input', async () => {
    const connection = machine.as('free')
    const session = await openSession(connection, { host: 'web1', become: { method: 'sudo' } })
    expect((await session.opened).warnings).to.deep.equal([])
    await session.run([{ script: sh`echo 'Defaults:notty log_input' >>/etc/sudoers` }])
    const warned = await openSession(connection, { host: 'web1', become: { method: 'sudo' } })
    expect((await warned.opened).warnings.join()).to.match(/log_input/)
    await Promise.all([session.close(), warned.close()])
  })
})

const SETUP = `groupadd extra
for u in free pass plain notty; do useradd -M -d /tmp -s /bin/sh $u; done; usermod -aG extra plain
for u in free pass plain root; do echo "$u:it's a \\$ecret"; done | chpasswd
sed -i 's/pam_unix.so nullok/& nodelay/' /etc/pam.d/common-auth
cat >/etc/sudoers <<'END'
free ALL=(ALL) NOPASSWD: ALL
notty ALL=(ALL) NOPASSWD: ALL
pass ALL=(ALL) ALL
Defaults:notty requiretty
Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"
END
rm -f /etc/sudoers.d/*
printf 'permit nopass free\\npermit pass\\n' >/etc/doas.conf; chmod 400 /etc/doas.conf`
