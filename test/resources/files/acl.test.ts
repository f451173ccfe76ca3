import { expect } from 'chai'
import { readAll } from '../../../src/model/resource/read.ts'
import { acl } from '../../../src/resources/files/acl.ts'
import { parsed } from '../parsed.ts'

describe('acl', () => {
  it('reads the lists of all paths at once', () => {
    const steps = [acl('/a b', { 'user:ana': 'r' }), acl('/none', { 'user:ana': 'r' }), acl('/c', { 'user:ana': 'r' })]
    const said =
      '# file: /a\\040b\n# owner: root\nuser::rw-\nuser:ana:r-x\nmask::rwx\ndefault:group:adm:r--\n\n# file: /c\nuser::rw-\nother::---\n\n'
    const reads = readAll(steps.map(({ read }) => read))
    expect(parsed(reads, said)).to.deep.equal([
      new Map([
        ['user:', 'rw-'],
        ['user:ana', 'r-x'],
        ['mask:', 'rwx'],
        ['default:group:adm', 'r--'],
      ]),
      undefined,
      new Map([
        ['user:', 'rw-'],
        ['other:', '---'],
      ]),
    ])
    expect(parsed(reads, 'no getfacl\n')).to.deep.equal(['no getfacl', 'no getfacl', 'no getfacl'])
  })

  it('says what is missing, which an earlier step may add', () => {
    const step = acl('/a', { 'user:ana': 'r' })
    expect(step.diff('no getfacl')?.problem?.message).to.equal('The package acl is not installed')
    expect(step.diff(undefined)?.problem?.message).to.equal('There is nothing at /a, so it has no access control list')
  })

  it('takes names and rights', () => {
    const wrong: readonly (readonly [() => unknown, string])[] = [
      [() => acl('/a', { 'user:': 'r' }), 'acl /a: "user:" is not a name such as user:ana'],
      [() => acl('/a', { 'user:ana': '' }), 'acl /a: the rights "" are not some of r, w and x'],
      [() => acl('/a', { 'user:ana': 'rr' }), 'the rights "rr" are not some of r, w and x'],
      [() => acl('/a', { 'user:ana': 'r' }, { absent: ['user:ana'] }), 'user:ana is both wanted and absent'],
    ]
    for (const [made, words] of wrong) expect(made).to.throw(TypeError, words)
  })

  it('explains why setfacl failed', () => {
    const [set] = acl('/a', { 'user:ana': 'r' }).apply(new Map())
    expect(set?.explain?.('setfacl: Option -m: Invalid argument near character 6')?.what).to.equal(
      'the host does not have one of the users or groups',
    )
    expect(set?.explain?.('setfacl: /a: Operation not supported')?.what).to.equal(
      'its file system has no access control lists',
    )
    expect(set?.explain?.('setfacl: no')).to.equal(undefined)
  })
})
