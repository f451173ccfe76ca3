// cspell:ignore nobody errand Whom
import { existsSync, mkdirSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { delegateTo, type Steps } from '../../../src/model/playbook/steps.ts'
import { InvalidParams } from '../../../src/model/problem.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { stepTitle } from '../../../src/report/format.ts'
import { absent } from '../../../src/resources/files/absent.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { line } from '../../../src/resources/files/line.ts'
import { link } from '../../../src/resources/files/link.ts'
import { user } from '../../../src/resources/system/user.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

describe('two steps for the same object', () => {
  const rig = ownRig()
  const at = () => `${rig.root}/a` as const
  const pairs: Readonly<Record<string, () => Steps>> = {
    'two files with other content': () => [file(at(), 'x', rig.own), file(at(), 'y', rig.own)],
    'two files with other modes': () => [
      file(at(), 'x', { ...rig.own, mode: '0600' }),
      file(at(), 'x', { ...rig.own, mode: '0644' }),
    ],
    'a file and an absence': () => [file(at(), 'x', rig.own), absent(at())],
    'a file and a link': () => [file(at(), 'x', rig.own), link(at(), { target: 'b' })],
    'a file and a line that it has not': () => [file(at(), 'x\n', rig.own), line(at(), 'y')],
    'a line and a file without it': () => [line(at(), 'y'), file(at(), 'x\n', rig.own)],
    'a link and a line': () => [link(at(), { target: 'b' }), line(at(), 'y')],
    'an absence and a line': () => [absent(at()), line(at(), 'y')],
    'a part of a transaction and a file': () => [
      transaction('t', [file(at(), 'x', rig.own)]),
      file(at(), 'y', rig.own),
    ],
    'a line and a part of a transaction': () => [line(at(), 'y'), transaction('t', [absent(at())])],
    'parts of two transactions': () => [
      transaction('t', [file(at(), 'x', rig.own)]),
      transaction('u', [file(at(), 'y', rig.own)]),
    ],
    'a file and a directory': () => [directory(at(), rig.own), file(at(), 'x', rig.own)],
  }
  for (const [what, steps] of Object.entries(pairs))
    for (const mode of ['plan', 'apply'] as const)
      it(`are rejected before any change, with the place of the second: ${what} (${mode})`, async () => {
        const refused = await rig
          .run((web) => [play('web', { hosts: web }, () => [file(`${rig.root}/first`, '', rig.own), steps()])], {
            mode,
            names: ['web1', 'web2'],
          })
          .then(
            () => undefined,
            (error: unknown) => error,
          )
        if (!(refused instanceof InvalidParams)) throw new Error(`not refused: ${refused}`)
        expect(refused.message).to.match(
          /^web1: \w+ (\S+\/a(: y)?|[tu]) and \w+ (\S+\/a(: y)?|[tu]) want different things of \S+\/a$/,
        )
        expect(refused.where)
          .to.have.property('file')
          .that.matches(/conflicts\.test\.ts$/)
        expect(existsSync(`${rig.root}/first`)).to.equal(false)
      })

  it('are valid if they declare the same', async () => {
    const { problems } = await rig.run((web) => [
      play('web', { hosts: web }, () => [file(at(), 'x', rig.own), file(at(), 'x', rig.own)]),
    ])
    expect(problems).to.deep.equal([])
  })

  it('are valid as a file and one of its lines, and as two lines', async () => {
    const { problems, reported } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        line(`${rig.root}/b`, 'x'),
        line(`${rig.root}/b`, 'y'),
        file(at(), 'x\ny\n', rig.own),
        line(at(), 'y'),
      ]),
    ])
    expect(problems).to.deep.equal([])
    expect(reported.at(-1)).to.equal('web1 ok line a: y')
  })

  it('are valid for one path on two hosts', async () => {
    const { problems } = await rig.run(
      (web) => [
        play('web', { hosts: web }, ({ name }) => {
          const [, other] = web.hosts
          return name === 'web1' && other ? [file(at(), 'x', rig.own), delegateTo(other, file(at(), 'y', rig.own))] : []
        }),
      ],
      { names: ['web1', 'web2'], mode: 'plan' },
    )
    expect(problems).to.deep.equal([])
  })

  it('are valid if both add to one user', async () => {
    const { problems } = await rig.run(
      (web) => [
        play('web', { hosts: web }, () => [
          user('nobody', { home: '/nonexistent', shell: '/usr/sbin/nologin' }),
          user('nobody', { home: '/nonexistent', shell: '/usr/sbin/nologin', groups: ['adm'] }),
        ]),
      ],
      { mode: 'plan' },
    )
    expect(problems).to.deep.equal([])
  })

  it('are valid in two plays', async () => {
    mkdirSync(`${rig.root}/d`)
    const { problems } = await rig.run((web) => [
      play('one', { hosts: web }, () => file(at(), 'x', rig.own)),
      play('two', { hosts: web }, () => file(at(), 'y', rig.own)),
    ])
    expect(problems).to.deep.equal([])
  })
})

describe('an invalid name', () => {
  for (const name of ['', '.', '..', 'я'.repeat(60)])
    it(`is rejected for a handler: ${JSON.stringify(name.slice(0, 3))}`, () => {
      expect(() => handler(name, sh`:`)).to.throw(
        TypeError,
        `"${name}" cannot be the name of a handler: it names a file on the host, of 255 bytes at most`,
      )
    })

  it('of a step with a newline is shown in one line', () => {
    expect(stepTitle({ kind: 'file', name: '/etc/a\nweb2 ok' })).to.equal('file /etc/a\\nweb2 ok')
  })
})
