import { expect } from 'chai'
import { isEqual } from '../../../src/model/equal.ts'
import { expand } from '../../../src/model/playbook/expand.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { SharedSteps } from '../../../src/model/playbook/shared-steps.ts'
import type { Steps } from '../../../src/model/playbook/steps.ts'
import { after as afterAnswers, tagged } from '../../../src/model/playbook/steps.ts'
import { exampleFacts, RELEASES } from '../../../src/model/resource/facts.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { AnswerStore } from '../../../src/model/resource/question.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { sh } from '../../../src/shell/sh.ts'

describe('steps of many hosts', () => {
  const shared = new SharedSteps()
  const hostOf = (name: string) => ({ name, group: 'web', address: '10.0.0.1' })
  const of = (name: string, steps: Steps) => {
    const host = hostOf(name)
    return expand(steps, { host, facts: exampleFacts(host, RELEASES[0]), answers: new AnswerStore(), shared }).steps
  }

  it('are made once for a role without context and equal params', () => {
    let calls = 0
    const motd = role('motd', ({ lines }: { readonly lines: readonly string[] }) => {
      calls++
      return file('/etc/motd', lines.join('\n'))
    })
    const a = of('web1', motd({ lines: ['a', 'b'] }))
    expect(of('web2', motd({ lines: ['a', 'b'] }))).to.equal(a)
    expect(calls).to.equal(1)
    expect(of('web3', motd({ lines: ['a', 'c'] }))).not.to.equal(a)
    expect(calls).to.equal(2)
  })

  it('of a role with context are made for each host, with its own facts, also in a later answer', () => {
    const own = role('own', (_params: object, context) =>
      afterAnswers({ asks: [], value: () => 'x' }, () =>
        file('/etc/name', `${context.facts.hostname} ${context.host.name}`),
      ),
    )
    const names = ['web1', 'web2'].map((name) => of(name, own({}))[0]?.step.simulate)
    expect(names[0]).not.to.equal(names[1])
    const rest = role(
      'rest',
      (...[_params, context]: readonly [object, { readonly host: { readonly name: string } }]) =>
        file(`/etc/${context.host.name}`, ''),
    )
    expect(['web1', 'web2'].map((name) => of(name, rest({}))[0]?.step.name)).to.deep.equal(['/etc/web1', '/etc/web2'])
  })

  it('are one object if they were made from equal values at one place', () => {
    const notify = handler('reload', sh`systemctl reload x`)
    const make = (text: string) => [file('/etc/a', text, { notify, tags: ['a'] }), link('/etc/b', { target: 'a' })]
    const a = of('web1', make('x'))
    expect(of('web2', make('x'))).to.equal(a)
    const other = of('web3', make('y'))
    expect(other).not.to.equal(a)
    expect(other[0]?.step).not.to.equal(a[0]?.step)
    expect(other[1]?.step).to.equal(a[1]?.step)
  })

  it('are different with other tags, roles, handlers, places and secrets', () => {
    const one = file('/etc/tagged', 'x')
    expect(of('web1', tagged('a', one))).not.to.equal(of('web2', tagged('b', one)))
    const secret = () => new Secret(() => 'word')
    const make = (text: Secret) => file('/etc/secret', text)
    expect(of('web1', make(secret()))[0]?.step).not.to.equal(of('web2', make(secret()))[0]?.step)
    const notified = (name: string) => file('/etc/notified', 'x', { notify: handler(name, sh`true`) })
    expect(of('web1', notified('a'))[0]?.step).not.to.equal(of('web2', notified('b'))[0]?.step)
    const places = [file('/etc/place', 'x'), file('/etc/place', 'x')] as const
    expect(of('web1', places[0])[0]?.step).not.to.equal(of('web2', places[1])[0]?.step)
  })
})

describe('equal values', () => {
  const CASES: readonly (readonly [a: unknown, b: unknown, equal: boolean])[] = [
    [1, 1, true],
    [Number.NaN, Number.NaN, true],
    ['a', 'b', false],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [{ a: undefined }, { b: undefined }, false],
    [[1], { 0: 1 }, false],
    [sh`a`, sh`a`, true],
    [sh`a`, sh`b`, false],
    [sh`a`, { text: 'a' }, false],
    [() => 1, () => 1, false],
    [new Map([[1, 1]]), new Map([[1, 1]]), false],
    [null, {}, false],
    [Array.from({ length: 5_000 }, () => ({})), Array.from({ length: 5_000 }, () => ({})), false],
  ]
  for (const [a, b, equal] of CASES)
    it(`of ${String(JSON.stringify(a)).slice(0, 30)} and ${String(JSON.stringify(b)).slice(0, 30)} are ${equal ? 'found' : 'not found'}`, () => {
      expect(isEqual(a, b)).to.equal(equal)
    })
})
