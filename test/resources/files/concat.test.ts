import { existsSync, readFileSync, statSync } from 'node:fs'
import { expect } from 'chai'
import { type Play, play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { delegateTo, tagged } from '../../../src/model/playbook/steps.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { concat } from '../../../src/resources/files/concat.ts'
import { file } from '../../../src/resources/files/file.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { sh } from '../../../src/shell/sh.ts'
import { converge, fakeHost } from '../../../src/testing/index.ts'
import { ownRig } from '../../support/rig.ts'
import { thrown } from '../../transport/helpers.ts'

describe('concat', () => {
  const rig = ownRig()
  let path: AbsolutePath
  beforeEach(() => {
    path = `${rig.empty()}/whole`
  })
  const web = role('web', (_params: object) => [concat(path, '50-web', 'web', { notify: handler('one', sh`:`) })])
  const app = role('app', (_params: object) => [
    file(`${path}.app`, 'x', rig.own),
    concat(path, '10-app', 'app\n', { ...rig.own, notify: handler('two', sh`:`) }),
  ])

  it('writes the fragments of several roles in one step, in the order of their keys, and runs the handlers of all', async () => {
    const run = () => rig.run((all) => [play('web', { hosts: all }, () => [web({}), app({})])])
    const { reported, problems } = await run()
    expect(problems).to.deep.equal([])
    expect(readFileSync(path, 'utf8')).to.equal('app\nweb\n')
    expect(reported.filter((one) => one.includes(' concat '))).to.have.length(1)
    expect(reported.filter((one) => /one|two/.test(one)).length).to.equal(2)
    expect((await run()).summary.hosts[0]).to.include({ ok: 2, changed: 0 })
  })

  it('is written whole when one of its tags is selected, and loses a fragment that no role has any more', async () => {
    const run = (plays: () => Parameters<typeof play>[2], select = {}) =>
      rig.run((all) => [play('web', { hosts: all }, plays())], { select })
    await run(() => () => [web({}), app({})], { tags: ['app'] })
    expect(readFileSync(path, 'utf8')).to.equal('app\nweb\n')
    await run(() => () => [tagged('x', [app({})])])
    expect(readFileSync(path, 'utf8')).to.equal('app\n')
  })

  it('refuses fragments that contradict each other, and those of two plays', async () => {
    const steps = (...all: Parameters<typeof concat>[]) =>
      rig.run((web) => [play('web', { hosts: web }, () => all.map((one) => concat(...one)))])
    expect(String(await thrown(steps([path, 'a', '1'], [path, 'a', '2'])))).to.include('has two texts for the key a')
    expect(
      String(await thrown(steps([path, 'a', '1', { mode: '0600' }], [path, 'b', '2', { mode: '0644' }]))),
    ).to.include(': its fragments want mode 0600 and 0644')
    const plays = (all: Parameters<Parameters<typeof rig.run>[0]>[0]): readonly Play[] =>
      ['a', 'b'].map((name) => play(name, { hosts: all }, () => concat(path, name, 'x')))
    expect(String(await thrown(rig.run(plays)))).to.include('has parts in two plays')
    expect(
      String(
        await thrown(rig.run((web) => [play('web', { hosts: web }, () => [concat(path, 'a', '1'), file(path, 'x')])])),
      ),
    ).to.include('want different things of')
    expect(existsSync(path)).to.equal(false)
    expect(() => concat(path, '', 'x')).to.throw(TypeError, 'the key is empty')
    expect(() => transaction('conf', [concat(path, 'a', 'x')])).to.throw(TypeError, 'cannot be rolled back')
  })

  it('may be declared twice with the same text, and keeps a secret', async () => {
    const secret = new Secret(() => 'hunter2')
    const { problems } = await rig.run((web) => [
      play('web', { hosts: web }, () => [
        concat(path, 'a', '1', rig.own),
        concat(path, 'a', '1'),
        concat(path, 'b', secret),
      ]),
    ])
    expect(problems).to.deep.equal([])
    expect(readFileSync(path, 'utf8')).to.equal('1\nhunter2\n')
    expect(statSync(path).mode & 0o777).to.equal(0o600)
  })

  it('is one step of a fake host, and one of each host that it is delegated to', async () => {
    const other = fakeHost({ name: 'db1' })
    const db1 = { name: 'db1', group: 'db', address: '10.0.0.1' }
    const run = await converge(
      [concat('/a', '2', 'two'), delegateTo(db1, concat('/a', '1', 'there')), concat('/a', '1', 'one')],
      fakeHost({ others: [other] }),
    )
    expect(run.plan).to.deep.equal(['create concat /a', 'create concat /a on db1'])
    expect(run.files['/a']?.text).to.equal('one\ntwo\n')
    expect(other.files['/a']?.text).to.equal('there\n')
  })
})
