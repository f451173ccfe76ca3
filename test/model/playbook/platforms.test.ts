import { expect } from 'chai'
import { aptSource, locale, packageUpgrades, pkg, protect, reboot, resource, role, sh } from '../../../src/index.ts'
import { expand } from '../../../src/model/playbook/expand.ts'
import { delegateTo, type Steps } from '../../../src/model/playbook/steps.ts'
import { InvalidParams } from '../../../src/model/problem.ts'
import type { Facts } from '../../../src/model/resource/facts.ts'
import { AnswerStore } from '../../../src/model/resource/question.ts'
import { known } from '../../../src/model/resource/read.ts'
import { FACTS as FACTS_QUESTION } from '../../../src/model/resource/read-facts.ts'
import { FACTS, HOST } from '../../roles/expanded.ts'

const ROCKY: Facts = { ...FACTS, os: { id: 'rocky', version: '9.4', codename: '' }, platform: 'redhat' }
const ALPINE: Facts = { ...FACTS, os: { id: 'alpine', version: '3.20.3', codename: '' }, platform: 'other' }

describe('a step on the platform of a host', () => {
  const on = (facts: Facts, steps: Steps, answers = new AnswerStore()) =>
    expand(steps, { facts, host: HOST, answers }).steps.map(({ step }) => step)
  const refusal = (facts: Facts, steps: Steps) => {
    try {
      on(facts, steps)
    } catch (error) {
      if (error instanceof InvalidParams) return error
      throw error
    }
    throw new Error('nothing was refused')
  }
  const scripts = (facts: Facts, steps: Steps) =>
    on(facts, steps).map(({ read: { parts } }) =>
      parts.map(({ family, query }) => family.script([query]).text).join('\n'),
    )

  it('has the scripts of its package manager, and the place and the tags of the call', () => {
    const install = pkg('nginx', { tags: ['web'] })
    expect(scripts(FACTS, install).join()).to.include('dpkg-query').and.not.include('rpm -q')
    expect(scripts(ROCKY, install).join()).to.include('rpm -q').and.not.include('dpkg-query')
    const [own] = on(ROCKY, install)
    expect(own)
      .to.include({ kind: 'package', name: 'nginx', source: install.source })
      .and.have.deep.property('tags', ['web'])
    expect(own?.source?.file).to.match(/platforms\.test\.ts$/)
    expect(on(ROCKY, protect(install, 'it serves all'))[0]?.protection).to.equal('it serves all')
    expect(scripts(ROCKY, pkg.absent('nginx')).join()).to.include('rpm -q')
    expect(scripts(ROCKY, pkg.latest('nginx')).join())
      .to.include('dnf')
      .and.not.include('apt')
  })

  it('is rejected before any change if its kind has no scripts for it, with the reason and the system', () => {
    const { message, next, systems, where } = refusal(ROCKY, locale('de_DE.UTF-8'))
    expect(message).to.equal(
      'locale de_DE.UTF-8: it has scripts only for the platform debian, and host1 runs Rocky 9.4 (redhat).',
    )
    expect(next).to.include('Nothing was changed on any host.')
    expect(systems).to.deep.equal(['debian'])
    expect(where).to.have.property('file')
    expect(refusal(ALPINE, pkg('nginx')).message).to.equal(
      'package nginx: it has scripts only for apt and dnf, and host1 runs Alpine 3.20.3 (other).',
    )
    for (const step of [aptSource('a', { uri: 'file:/a', suites: './', signedBy: '/k' }), reboot(), packageUpgrades()])
      expect(refusal(ROCKY, step).message).to.include('Rocky 9.4')
    expect(on(ROCKY, reboot({ unless: sh`true` }))).to.have.length(1)
  })

  it('is rejected for an option or a name that the package manager does not have', () => {
    const why = (facts: Facts, steps: Steps) => refusal(facts, steps).message.split(': ')[1]
    expect(why(ROCKY, pkg('nginx', { hold: true }))).to.equal(
      'the option hold needs apt, and host1 runs Rocky 9.4 (redhat).',
    )
    expect(why(ROCKY, pkg('nginx', { debconf: { 'a/b': 'c' } }))).to.include('the option debconf needs apt')
    expect(why(ROCKY, pkg.absent('nginx', { purge: true }))).to.include('the option purge needs dpkg')
    expect(why(FACTS, pkg('NetworkManager'))).to.include('NetworkManager is not the name of a package of dpkg')
    expect(on(ROCKY, pkg('NetworkManager', 'glibc.i686'))).to.have.length(1)
  })

  it('of another host is that of the platform there', () => {
    const other = { name: 'db1', group: 'db', address: '10.0.0.2' }
    const answers = new AnswerStore()
    answers.set({ host: other, question: FACTS_QUESTION }, ROCKY)
    const [here, there] = on(FACTS, [pkg('nginx'), delegateTo(other, pkg('nginx'))], answers)
    const families = [here, there].map((step) => step?.read.parts[0]?.family.name)
    expect(families).to.deep.equal(['packages', 'rpm packages'])
    expect(there?.name).to.equal('nginx on db1')
  })

  it('may be of an own kind, which names its platforms', () => {
    const zypper = resource<object, undefined>('pattern', {
      platforms: ['redhat'],
      id: () => 'base',
      read: () => known(undefined),
      diff: () => undefined,
      apply: () => [],
    })
    const own = role('own', (_params: object) => zypper({}))
    expect(on(ROCKY, own({}))).to.have.length(1)
    const { message, systems } = refusal(FACTS, own({}))
    expect(message).to.include('it has scripts only for the platform redhat, and host1 runs Debian 12 (debian)')
    expect(systems).to.deep.equal(['fedora'])
  })
})
