import { existsSync, mkdirSync } from 'node:fs'
import { expect } from 'chai'
import { handler } from '../../src/model/handler.ts'
import { play } from '../../src/model/play.ts'
import { Refusal } from '../../src/model/problem.ts'
import type { Steps } from '../../src/model/steps.ts'
import { stepTitle } from '../../src/report/describe.ts'
import { absent } from '../../src/resources/absent.ts'
import { directory } from '../../src/resources/directory.ts'
import { file } from '../../src/resources/file.ts'
import { link } from '../../src/resources/link.ts'
import { user } from '../../src/resources/user.ts'
import { sh } from '../../src/shell/sh.ts'
import { ownRig } from '../support/rig.ts'

describe('two steps for one thing', () => {
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
    'a file and a directory': () => [directory(at(), rig.own), file(at(), 'x', rig.own)],
  }
  for (const [what, steps] of Object.entries(pairs))
    for (const mode of ['check', 'apply'] as const)
      it(`are refused before any host is changed, with the place of the second: ${what} (${mode})`, async () => {
        const refused = await rig
          .run(
            (web) => [play('web', { hosts: web }, () => [file(`${rig.root}/first`, '', rig.own), steps()])],
            {
              mode,
              names: ['web1', 'web2'],
            },
          )
          .then(
            () => undefined,
            (error: unknown) => error,
          )
        if (!(refused instanceof Refusal)) throw new Error(`not refused: ${refused}`)
        expect(refused.message).to.match(/^web1: \w+ \S+\/a and \w+ \S+\/a want different things of \S+\/a$/)
        expect(refused.where)
          .to.have.property('file')
          .that.matches(/conflicts\.test\.ts$/)
        expect(existsSync(`${rig.root}/first`)).to.equal(false)
      })

  it('are taken when they want the same', async () => {
    const { problems } = await rig.run((web) => [
      play('web', { hosts: web }, () => [file(at(), 'x', rig.own), file(at(), 'x', rig.own)]),
    ])
    expect(problems).to.deep.equal([])
  })

  it('are taken when they add to one user', async () => {
    const { problems } = await rig.run(
      (web) => [
        play('web', { hosts: web }, () => [
          user('nobody', { home: '/nonexistent', shell: '/usr/sbin/nologin' }),
          user('nobody', { home: '/nonexistent', shell: '/usr/sbin/nologin', groups: ['adm'] }),
        ]),
      ],
      { mode: 'check' },
    )
    expect(problems).to.deep.equal([])
  })

  it('are taken in two plays', async () => {
    mkdirSync(`${rig.root}/d`)
    const { problems } = await rig.run((web) => [
      play('one', { hosts: web }, () => file(at(), 'x', rig.own)),
      play('two', { hosts: web }, () => file(at(), 'y', rig.own)),
    ])
    expect(problems).to.deep.equal([])
  })
})

describe('a name that cannot be', () => {
  for (const name of ['', '.', '..', 'я'.repeat(60)])
    it(`is refused for a handler: ${JSON.stringify(name.slice(0, 3))}`, () => {
      expect(() => handler(name, sh`:`)).to.throw(
        TypeError,
        `"${name}" cannot be the name of a handler: it names a file on the host, of 255 bytes at most`,
      )
    })

  it('of a step with a newline is shown in one line', () => {
    expect(stepTitle({ kind: 'file', name: '/etc/a\nweb2 ok' })).to.equal('file /etc/a\\nweb2 ok')
  })
})
