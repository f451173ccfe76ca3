import { existsSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import { confirmWith } from '../../../src/cli/prompt.ts'
import type { SelectOptions } from '../../../src/engine/read/selection.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { tagged } from '../../../src/model/playbook/steps.ts'
import { Problem } from '../../../src/model/problem.ts'
import { file } from '../../../src/resources/files/file.ts'
import { type Options, ownRig, type Plays } from '../../support/rig.ts'
import { thrown } from '../../transport/helpers.ts'

describe('the selection of steps', () => {
  const rig = ownRig()

  const made = () => readdirSync(rig.root).sort().join(' ')
  const plain = (name: string, ...tags: string[]) => file(`${rig.root}/${name}`, name, { ...rig.own, tags })
  const packages = role('apt', () => [plain('pkg'), plain('pkg-conf', 'config')], { tags: ['packages'] })
  const plays: Plays = (web) => [
    play('one', { hosts: web, tags: ['first'] }, () => [
      plain('a'),
      packages({}),
      tagged('config', [plain('conf')]),
      plain('always', 'always'),
      plain('never', 'never', 'danger'),
    ]),
    play('two', { hosts: web }, () => [plain('b'), plain('c')]),
  ]
  const take = async (select: SelectOptions, options: Options = {}) => {
    await rig.run(plays, { select, ...options })
    return made()
  }

  it('includes all steps except those with the tag never', async () => {
    expect(await take({})).to.equal('a always b c conf pkg pkg-conf')
  })

  for (const [select, expected] of [
    [{ tags: ['config'] }, 'always conf pkg-conf'],
    [{ tags: ['packages'] }, 'always pkg pkg-conf'],
    [{ tags: ['apt'] }, 'always pkg pkg-conf'],
    [{ tags: ['first'] }, 'a always conf never pkg pkg-conf'],
    [{ tags: ['danger'] }, 'always never'],
    [{ tags: ['packages', 'config'], skipTags: ['config'] }, 'always pkg'],
    [{ skipTags: ['packages', 'always'] }, 'a b c conf'],
  ] as const)
    it(`includes for ${JSON.stringify(select)} ${expected}`, async () => {
      expect(await take(select)).to.equal(expected)
    })

  it('starts at the given step, in its play, and includes all later plays', async () => {
    expect(await take({ startAt: `file ${rig.root}/conf` })).to.equal('always b c conf')
    rig.renew()
    expect(await take({ startAt: `${rig.root}/c` })).to.equal('c')
  })

  it('applies to a plan', async () => {
    const { reported } = await rig.run(plays, { mode: 'plan', select: { tags: ['packages'] } })
    expect(reported).to.deep.equal(['web1 planned file pkg', 'web1 planned file pkg-conf', 'web1 planned file always'])
  })

  it('rejects an unknown tag or step before any change, with the nearest names', async () => {
    const tag = await thrown(rig.run(plays, { select: { tags: ['cofnig'] } }))
    expect(tag).to.be.instanceOf(Problem).and.have.property('message', '--tags: no step has the tag "cofnig"')
    expect((tag as Problem).next).to.include('Did you mean "config"?')
    const skip = await thrown(rig.run(plays, { select: { skipTags: ['packges'] } }))
    expect((skip as Problem).next).to.include('"packages"')
    const step = await thrown(rig.run(plays, { select: { startAt: `file ${rig.root}/conv` } }))
    expect((step as Problem).next).to.include(`Did you mean "file ${rig.root}/conf"`)
    expect(made()).to.equal('')
  })

  it('asks before each step, one question at a time, until the answer is all', async () => {
    const asked: string[] = []
    const answers = ['y', 'what?', 'n', 'all']
    const confirm = confirmWith(async (question) => {
      asked.push(question.replace(`${rig.root}/`, ''))
      return answers.shift() ?? 'n'
    })
    await rig.run(plays, { confirm })
    expect(asked).to.have.length(4)
    expect(asked[0]).to.match(/^web1: file a: create .*\? \[y\/n\/all\] $/)
    expect(made()).to.equal('a always b c conf pkg-conf')
    expect(existsSync(`${rig.root}/pkg`)).to.equal(false)
  })
})
