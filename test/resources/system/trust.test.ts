import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { Problem } from '../../../src/model/problem.ts'
import { readAll } from '../../../src/model/resource/read.ts'
import { caCertificate } from '../../../src/resources/system/ca-certificate.ts'
import { knownHosts } from '../../../src/resources/system/known-hosts.ts'
import { sudoers } from '../../../src/resources/system/sudoers.ts'
import { selfSigned } from '../../support/self-signed.ts'
import { edited } from '../files/edited.ts'
import { entry, there } from '../kind-row.ts'
import { parsed } from '../parsed.ts'

const key = (type: string, text: string) => {
  const name = Buffer.from(type)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  return `${type} ${Buffer.concat([length, name, Buffer.from(text)]).toString('base64')}`
}
const [ED, RSA, OLD] = [key('ssh-ed25519', 'one'), key('ssh-rsa', 'two'), key('ssh-ed25519', 'old')]

describe('knownHosts', () => {
  it('adds keys, keeps those of other servers, and removes others of this one', () => {
    const text = `# all\nother ${OLD}\ngit ${OLD}\n@cert-authority *.test ${OLD}\n*.test ${OLD}\n`
    expect(edited(text, knownHosts('git', [`${ED} a comment`, RSA]))).to.equal(
      text.replace(`git ${OLD}\n`, '') + `git ${ED}\ngit ${RSA}\n`,
    )
    expect(edited(`git,10.0.0.1 ${OLD}\n`, knownHosts('git', [ED]))).to.equal(`10.0.0.1 ${OLD}\ngit ${ED}\n`)
    expect(edited(`git,10.0.0.1 ${ED} x\n`, knownHosts('git', [ED]))).to.equal(`git,10.0.0.1 ${ED} x\n`)
    expect(edited(undefined, knownHosts('git', [ED], { port: 2222 }))).to.equal(`[git]:2222 ${ED}\n`)
    expect(edited(`git ${ED}\n`, knownHosts.absent('GIT'))).to.equal('')
  })

  it('finds hashed names', () => {
    const salt = Buffer.from('12345678901234567890')
    const hashed = `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update('git').digest('base64')}`
    expect(edited(`${hashed} ${OLD}\n`, knownHosts('git', [ED]))).to.equal(`git ${ED}\n`)
    expect(edited(`${hashed} ${ED}\n`, knownHosts('git', [ED]))).to.equal(`${hashed} ${ED}\n`)
    expect(edited(`${hashed} ${OLD}\n`, knownHosts.absent('other'))).to.equal(`${hashed} ${OLD}\n`)
  })

  it('rejects revoked keys, and what is no key', () => {
    expect(() => edited(`@revoked * ${ED}\n`, knownHosts('git', [ED]))).to.throw(
      Problem,
      'marks a wanted key of git as @revoked',
    )
    for (const bad of ['', 'ssh-rsa', ED.replace('ssh-ed25519', 'ssh-rsa'), 'ssh-rsa AAAA', `git ${ED}`])
      expect(() => knownHosts('git', [bad]), bad).to.throw(TypeError, 'is not a key such as')
    expect(() => knownHosts('a b', [ED])).to.throw(TypeError, 'is not a name or an address')
    expect(() => knownHosts('git', [ED], { port: 0 })).to.throw(TypeError, '0 is not a port')
  })
})

describe('caCertificate', () => {
  const pem = selfSigned('root.test', 10)
  const at = entry({ sha256: undefined })

  it('is in its state when the host trusts it too', () => {
    const step = caCertificate('own', pem)
    expect(step.diff([undefined, false])?.action).to.equal('create')
    const [, update] = step.apply([undefined, false])
    expect(update?.script.text).to.equal('update-ca-certificates >/dev/null')
    expect(update?.explain?.('sh: 1: update-ca-certificates: not found')?.what).to.equal(
      'the package ca-certificates is not installed',
    )
    expect(caCertificate.absent('own').diff([undefined, true])?.fields).to.deep.equal([
      { name: 'trusted certificates', from: 'with it', to: 'without it' },
    ])
    expect(caCertificate.absent('own').diff([undefined, false])).to.equal(undefined)
    expect(caCertificate.absent('own').diff([at, true])?.action).to.equal('remove')
  })

  it('takes one certificate of an authority', () => {
    expect(() => caCertificate('a/b', pem)).to.throw(TypeError, 'has a slash')
    expect(() => caCertificate('own', `${pem}\n${pem}`)).to.throw(TypeError, 'the text has 2 certificates')
    expect(() => caCertificate('own', 'x')).to.throw(TypeError, 'the text has 0 certificates')
    expect(() => caCertificate('own', `${pem}\n-----BEGIN PRIVATE KEY-----`)).to.throw(
      TypeError,
      'contains a private key',
    )
    expect(() => caCertificate('own', pem.replace(/MII\w/, 'AAAA'))).to.throw(TypeError, 'is not a certificate')
  })
})

describe('sudoers', () => {
  it('is a file that visudo checks first', () => {
    const step = sudoers('deploy', 'deploy ALL=(root) NOPASSWD: ALL', { timeout: '1m', tags: ['access'] })
    expect(step).to.deep.include({ kind: 'sudoers', name: 'deploy', tags: ['access'] })
    const [command] = step.apply([undefined])
    expect(command?.script.text)
      .to.include('visudo -c')
      .and.to.include('NOPASSWD: ALL\n')
      .and.to.include('The package sudo is not installed')
    expect(command?.timeout).to.equal('1m')
  })

  const listed = (runAs: string, options: string, ...commands: readonly string[]) =>
    `Sudoers entry: /etc/sudoers.d/a\n    RunAsUsers: ${runAs}\n${options && `    Options: ${options}\n`}    Commands:\n${commands.map((one) => `\t${one}\n`).join('')}\n`
  const all = listed('ALL', '!authenticate', 'ALL')

  it('reads the right of the user of this connection, now and after the change', () => {
    const question = readAll(['a', 'b', 'c', 'd'].map((name) => sudoers(name, 'x').read))
    const defaults = 'Matching Defaults entries for ana on web1:\n    env_reset, !authenticate\n\n'
    const answers = [
      `user:ana\n${all}after:\n${listed('root', '', 'ALL')}`,
      `user:ana\n${defaults}${listed('ALL', '', 'ALL')}after:\n${listed('ALL', '!authenticate', 'ALL', '!/bin/sh')}`,
      '',
      `user:ana\n${all}${listed('ALL', 'authenticate', '/usr/bin/apt')}after:\n${all}${listed('www-data', '', 'ALL')}`,
    ]
    const found = parsed(question, '', answers.map((one) => `answer:\n${one}`).join(''))
    expect(found).to.deep.equal([
      [undefined, { user: 'ana', now: 'without a password', after: 'with a password' }],
      [undefined, { user: 'ana', now: 'without a password', after: 'none' }],
      [undefined, undefined],
      [undefined, { user: 'ana', now: 'without a password', after: 'without a password' }],
    ])
  })

  it('does not take sudo away from the user of this connection', () => {
    const step = sudoers('a', 'x')
    const access = (now: string, after: string) => [undefined, { user: 'ana', now, after }]
    expect(() => step.diff(access('without a password', 'with a password'))).to.throw(
      Problem,
      'ana, the user of this connection, could become root only with a password',
    )
    expect(() => sudoers.absent('a').diff([there, { user: 'ana', now: 'with a password', after: 'none' }])).to.throw(
      Problem,
      'ana, the user of this connection, could no longer become root by sudo',
    )
    expect(step.diff(access('none', 'none'))?.action).to.equal('change')
    expect(step.diff(access('with a password', 'without a password'))?.action).to.equal('change')
    expect(sudoers.absent('a').diff(access('without a password', 'none')), 'nothing to do').to.equal(undefined)
  })

  it('has a name that sudo reads', () => {
    for (const name of ['a.conf', 'a~'])
      expect(() => sudoers(name, 'x')).to.throw(TypeError, 'sudo ignores files with a name like')
    expect(() => sudoers('a/b', 'x')).to.throw(TypeError, 'has a slash')
    expect(() => sudoers('a', '\n')).to.throw(TypeError, 'the rules are empty: use sudoers.absent')
  })
})
