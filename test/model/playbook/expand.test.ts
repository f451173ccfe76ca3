import { expect } from 'chai'
import { asksOf, expand } from '../../../src/model/playbook/expand.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { after as afterAnswers, delegateTo, type Steps } from '../../../src/model/playbook/steps.ts'
import { Problem } from '../../../src/model/problem.ts'
import type { Facts } from '../../../src/model/resource/facts.ts'
import { AnswerStore, ask, askEach, askHost, mapAnswers } from '../../../src/model/resource/question.ts'
import { known } from '../../../src/model/resource/read.ts'
import { FACTS as FACTS_QUESTION } from '../../../src/model/resource/read-facts.ts'
import { file } from '../../../src/resources/files/file.ts'
import { FACTS } from '../../roles/expanded.ts'

describe('steps', () => {
  const host = { name: 'web1', group: 'web', address: '10.0.0.1' }
  const context = { facts: FACTS, host, answers: new AnswerStore() }
  const flat = (steps: Steps, answers = new AnswerStore()) => {
    const { steps: all, incomplete } = expand(steps, { facts: FACTS, host, answers })
    return { steps: all.map(({ step, roles }) => [...roles, step.name].join(' › ')), incomplete }
  }

  it('are a flat list in order, without empty entries', () => {
    const nothing: readonly Steps[] = [false, undefined, null, [], [[false]]]
    expect(flat([file('/a', ''), nothing, [[file('/b', '')], file('/c', '')]]).steps).to.deep.equal(['/a', '/b', '/c'])
    expect(flat(undefined).steps).to.deep.equal([])
  })

  it('have the roles that contain them, the outermost first', () => {
    const inner = role('inner', ({ path }: { readonly path: `/${string}` }) => file(path, ''))
    const outer = role('outer', (_params: object) => [inner({ path: '/a' }), file('/b', '')])
    expect(flat([outer({}), file('/c', '')]).steps).to.deep.equal(['outer › inner › /a', 'outer › /b', '/c'])
  })

  it('of a role depend on its params and the facts of the host', () => {
    const sized = role('sized', ({ share = 2 }: { readonly share?: number }, { facts }: { facts: Facts }) =>
      file(`/${facts.cpus * share}`, ''),
    )
    expect(flat([sized({}), sized({ share: 3 }), sized({ share: undefined })]).steps).to.deep.equal([
      'sized › /8',
      'sized › /12',
      'sized › /8',
    ])
  })

  it('of a role see the host, and those of a delegated role the other host', () => {
    const named = role('named', (_params: object, { host: own }) => file(`/${own.name}-${own.address}`, ''))
    const other = { name: 'db1', group: 'db', address: '10.0.0.2' }
    const answers = new AnswerStore()
    answers.set({ host: other, question: FACTS_QUESTION }, FACTS)
    expect(flat([named({}), delegateTo(other, named({})), named({})], answers).steps).to.deep.equal([
      'named › /web1-10.0.0.1',
      'named › /db1-10.0.0.2 on db1',
      'named › /web1-10.0.0.1',
    ])
  })

  it('are incomplete until the answers that they need are known', () => {
    const question = ask('leader', known('web1'))
    const waiting = afterAnswers(askEach({ hosts: [host] }, question), ([first]) => file(`/${first?.answer}`, ''))
    const answers = new AnswerStore()
    expect(asksOf([[waiting], false]).map(({ host: { name } }) => name)).to.deep.equal(['web1'])
    expect(flat([file('/a', ''), waiting], answers)).to.deep.equal({ steps: ['/a'], incomplete: true })
    answers.set({ host, question }, 'web1')
    expect(flat([file('/a', ''), waiting], answers)).to.deep.equal({
      steps: ['/a', '/web1'],
      incomplete: false,
    })
    answers.forget('web1')
    expect(flat(waiting, answers).incomplete).to.equal(true)
  })

  it('are rejected if a value that they depend on is a Problem', () => {
    const question = ask('leader', known('web1'))
    const answers = new AnswerStore()
    answers.set({ host, question }, 'web1')
    const leader = mapAnswers(askHost(host, question), (name) =>
      name === 'web1' ? new Problem('There are two leaders') : host,
    )
    expect(() => flat([file('/a', ''), afterAnswers(leader, ({ name }) => file(`/${name}`, ''))], answers)).to.throw(
      Problem,
      'There are two leaders',
    )
  })

  it('receive undefined as the answer of an unreachable host', () => {
    const question = ask('leader', known('web1'))
    const answers = new AnswerStore()
    answers.set({ host, question }, undefined)
    expect(
      flat(
        afterAnswers(askHost(host, question), (answer) => file(`/${answer}`, '')),
        answers,
      ).steps,
    ).to.deep.equal(['/undefined'])
  })

  const refusal = (steps: unknown): Problem => {
    try {
      expand(steps as Steps, context)
    } catch (error) {
      if (error instanceof Problem) return error
    }
    throw new Error('it was not refused by a Problem')
  }

  it('are rejected with the name and the place of a role whose body throws', () => {
    const broken = role('broken', (_params: object) => {
      throw new Error('no such thing')
    })
    const problem = refusal([broken({})])
    expect(problem.message).to.equal('role broken: no such thing')
    expect(problem.where).to.include({ file: import.meta.filename })
    expect(problem.cause).to.be.instanceOf(Error)
  })

  it('pass on a Problem that a role throws', () => {
    const own = new Problem('in its own words')
    const broken = role('broken', (_params: object) => {
      throw own
    })
    expect(refusal(broken({}))).to.equal(own)
  })

  it('reject a role without params, as types may not be checked', () => {
    const web = role('web', (_params: object) => [])
    for (const params of [undefined, null, 'web1'])
      expect(() => web(params as never))
        .to.throw(Problem, 'role web was called without its params')
        .with.property('next', 'Give it an object, an empty one if need be: {}.')
  })

  it('reject other values, with the role that contains them', () => {
    const called = role('web', (_params: object) => [])
    const around = role('around', (_params: object) => called as never)
    expect(refusal([called]).message).to.equal(
      'The steps of a play hold something that is no step: a function: was a role not called with its params?',
    )
    expect(refusal(around({})).message).to.match(/^The steps of role around hold something that is no step: a function/)
    expect(refusal('nginx').message).to.match(/no step: a value of the type string$/)
    expect(refusal(true).message).to.match(/no step: a value of the type boolean$/)
    const async = role('async', (async () => []) as never)
    expect(refusal(async({})).message).to.equal(
      'The steps of role async hold something that is no step: a promise: a role cannot be async',
    )
  })
})
