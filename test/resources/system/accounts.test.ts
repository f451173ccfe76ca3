import { expect } from 'chai'
import { Secret, user, userGroup } from '../../../src/index.ts'
import { readAll } from '../../../src/model/resource/read.ts'
import { groupsListing, shadowOf } from '../../../src/resources/system/account-reads.ts'
import { authorizedKeys } from '../../../src/resources/system/authorized-keys.ts'
import { keysOf, loginKey } from '../../../src/resources/system/authorized-keys-read.ts'
import { login } from '../../../src/resources/system/login.ts'
import { fingerprintOf, publicKeyIn } from '../../../src/resources/system/public-key.ts'
import type { UserState } from '../../../src/resources/system/user-state.ts'
import { hash, KEY, OTHER_KEY } from '../account-rows.ts'
import { parsed } from '../parsed.ts'

describe('a user', () => {
  it('has no invalid name, number, comment or date', () => {
    for (const name of ['', '-a', '1000', 'a b', 'a'.repeat(33)])
      expect(() => user(name), name).to.throw(TypeError, `user: "${name}" is not the name of a user`)
    expect(() => user('a', { groups: ['-b'] })).to.throw(TypeError, 'user a: "-b" is not the name of a group')
    expect(() => user('a', { uid: -1 })).to.throw(TypeError, 'user a: uid: -1 is not a whole number from 0')
    expect(() => userGroup('a', { gid: 1.5 })).to.throw(TypeError, 'userGroup a: gid: 1.5 is not a whole number from 0')
    expect(() => userGroup('9')).to.throw(TypeError, 'userGroup: "9" is not the name of a group')
    expect(() => user('a', { comment: 'a:b' })).to.throw(TypeError, 'the comment has a colon or several lines')
    for (const expires of ['2027-02-30', '1 May 2027', '', 'Never'])
      expect(() => user('a', { expires }), expires).to.throw(
        TypeError,
        'is neither a date such as 2027-01-31 nor never',
      )
  })

  it('is not root if it must be absent', () => {
    expect(() => user.absent('root')).to.throw(TypeError, 'user.absent: root cannot be removed')
    expect(() => userGroup.absent('root')).to.throw(TypeError, 'userGroup.absent: root cannot be removed')
  })

  const have: UserState = {
    account: { name: 'a', uid: '1', gid: '1', comment: '', home: '/nonexistent', shell: '/usr/sbin/nologin' },
    ...{ primary: undefined, missing: [], memberships: [], holder: undefined, homeEntry: undefined },
    ...{ login: undefined, shadow: { password: undefined, locked: true, expires: undefined } },
  }

  it('cannot have the uid of another user, nor a group its gid', () => {
    const holder = { ...have.account, name: 'bob', uid: '5' }
    expect(user('a', { uid: 5 }).diff({ ...have, holder })?.problem?.message).to.equal('The uid 5 belongs to bob')
    const other = { name: 'staff', gid: '5', members: [] }
    expect(userGroup('a', { gid: 5 }).diff([undefined, other])?.problem?.message).to.equal(
      'The gid 5 belongs to the group staff',
    )
  })

  it('cannot be unlocked without a password', () => {
    expect(user('a', { locked: false }).diff(have)?.problem?.message).to.equal(
      'a has no password, so its password cannot be unlocked',
    )
  })

  it('does not leave the group of administrators if this connection logs in as it', () => {
    const step = user('a', { groups: ['adm'], exclusive: true })
    const problem = (as: string) =>
      step.diff({ ...have, memberships: ['adm', 'sudo'], login: { user: as, address: '' } })?.problem?.message
    expect(problem('a')).to.equal('a would leave the group sudo, and this connection logs in as a')
    expect(problem('b')).to.equal(undefined)
  })

  it('gets its hash on standard input, with the mark of a lock', () => {
    const input = (step: ReturnType<typeof user>, shadow: UserState['shadow']) => {
      const [command] = step.apply({ ...have, shadow })
      expect(command?.script.text).to.equal('chpasswd -e')
      return command?.input instanceof Secret ? command.input.reveal() : undefined
    }
    const password = new Secret(() => hash)
    const other = { password: 'other', locked: true, expires: undefined }
    expect(input(user('a', { password }), have.shadow)).to.equal(`a:${hash}\n`)
    expect(input(user('a', { password, locked: true }), have.shadow)).to.equal(`a:!${hash}\n`)
    expect(input(user('a', { password }), other)).to.equal(`a:!${hash}\n`)
    expect(input(user('a', { password, locked: false }), other)).to.equal(`a:${hash}\n`)
  })

  it('in use is named with its process', () => {
    const [command] = user('a', { uid: 7 }).apply(have)
    expect(command?.explain?.('usermod: user a is currently used by process 42\n')?.what).to.equal(
      'a has running processes (process 42), so it cannot be removed, and its uid, home and group cannot change',
    )
    expect(command?.explain?.('usermod: no')).to.equal(undefined)
    const [removal] = userGroup.absent('g').apply({ name: 'g', gid: '1', members: [] })
    expect(removal?.explain?.("groupdel: cannot remove the primary group of user 'bob'\n")?.what).to.equal(
      'it is the primary group of bob',
    )
    expect(removal?.explain?.('groupdel: no')).to.equal(undefined)
  })

  it('is read with lock, expiry and the hash of the password hash', () => {
    const answer = 'ana:no:20000:abc\nbob:yes::\n'
    expect(parsed(readAll(['bob', 'ana', 'eve'].map(shadowOf)), answer)).to.deep.equal([
      { locked: true, password: undefined, expires: undefined },
      { locked: false, password: 'abc', expires: 20_000 },
      undefined,
    ])
    expect(parsed(groupsListing('bob'), 'adm:x:4:bob\nsudo:x:27:bobby\n')).to.deep.equal(['adm'])
  })
})

describe('authorized keys', () => {
  it('are lines with a public key', () => {
    for (const line of [
      '',
      '# comment',
      'ssh-ed25519',
      'ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJHuQ2BI8bbMJDWtrHyCFoh6SbKDqTi1',
      `${KEY}\n${OTHER_KEY}`,
    ])
      expect(() => authorizedKeys('ana', [line]), line).to.throw(TypeError, 'is not a line with a public key')
    expect(() => authorizedKeys('ana', [KEY], { absent: [`${KEY} x`] })).to.throw(
      TypeError,
      'is both wanted and absent',
    )
    expect(() => authorizedKeys('1', [])).to.throw(TypeError, 'authorizedKeys: "1" is not the name of a user')
  })

  it('are parsed with options, quotes and comments', () => {
    expect(publicKeyIn(`from="10.0.0.1,a b",no-pty ${KEY} two words `)).to.include({
      options: 'from="10.0.0.1,a b",no-pty',
      type: 'ssh-ed25519',
      comment: 'two words',
    })
    const key = publicKeyIn(KEY)
    expect(key && fingerprintOf(key)).to.match(/^SHA256:\S{43}$/)
  })

  it('of a missing user are a problem', () => {
    expect(authorizedKeys('ana', [KEY]).diff({})?.problem?.message).to.equal('The host has no user ana')
  })

  it('are confirmed over a new connection if this connection logs in as the user', () => {
    const found = parsed(keysOf('ana'), `user:ana:1000:1000:/home/ana:/home/ana/.ssh/authorized_keys\nline:${KEY}\n`)
    const commands = (as: string) =>
      authorizedKeys('ana', [OTHER_KEY], { exclusive: true }).apply({ found, session: { user: as, address: '' } })
    expect(commands('ana')[0]).to.include.keys('confirm', 'rolledBackStatus')
    expect(commands('bob')[0]).not.to.have.any.keys('confirm', 'rolledBackStatus')
  })

  it('are read with the owner and the mode of file and directory', () => {
    const answer = [
      'user:ana:1000:100:/home/ana:/etc/keys/ana:x',
      `line:${KEY} a:b`,
      'user:bob:1001:101:/home/bob:/home/bob/.ssh/authorized_keys',
      'entry:f:0:644:/etc/keys/ana:x',
      'entry:d:0:755:/etc/keys',
    ].join('\n')
    const [ana, bob, eve] = parsed(readAll(['ana', 'bob', 'eve'].map(keysOf)), answer)
    expect(ana).to.deep.equal({
      ...{ uid: '1000', gid: '100', home: '/home/ana', path: '/etc/keys/ana:x', lines: [`${KEY} a:b`] },
      file: { type: 'f', uid: '0', mode: '644' },
      directory: { type: 'd', uid: '0', mode: '755' },
    })
    expect(bob).to.deep.include({ lines: [], file: undefined, directory: undefined })
    expect(eve).to.equal(undefined)
  })

  it('know the user, the address and the key of this connection', () => {
    const environ = '/proc/9/environ:USER=root\0/proc/7/environ:USER=ana\0/proc/7/environ:SSH_CONNECTION=10.0.0.1\0'
    expect(parsed(login, environ)).to.deep.equal({ user: 'ana', address: '10.0.0.1' })
    expect(parsed(login, '')).to.equal(undefined)
    const accepted = 'Accepted publickey for ana from 10.0.0.1 port 5 ssh2: ED25519 SHA256:abc/d+e\n'
    expect(parsed(loginKey, accepted)).to.deep.equal({ user: 'ana', fingerprint: 'SHA256:abc/d+e' })
    expect(parsed(loginKey, '')).to.equal(undefined)
  })
})
