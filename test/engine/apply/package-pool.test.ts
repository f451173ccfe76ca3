import { expect } from 'chai'
import { groupPackages } from '../../../src/engine/apply/package-pool.ts'
import type { StepState } from '../../../src/engine/read/step-state.ts'
import { known } from '../../../src/model/resource/read.ts'
import { resource, type Step } from '../../../src/model/resource/step.ts'
import { file } from '../../../src/resources/files/file.ts'
import { pkg } from '../../../src/resources/packages/package.ts'
import { command } from '../../../src/resources/system/command.ts'
import { user } from '../../../src/resources/system/user.ts'
import { service } from '../../../src/resources/systemd/service.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { sh } from '../../../src/shell/sh.ts'

const NOTHING = { version: undefined, state: undefined, guarded: false }

describe('the order of the steps on a host', () => {
  /** A step in these roles, separated by slashes. By default it has a change. */
  const at = (role: string, step: Step, { differs = true } = {}): StepState => ({
    expanded: { step, roles: role === '' ? [] : role.split('/'), tags: [] },
    have:
      step.kind === 'package'
        ? [{ packages: step.name.split(', ').map(() => NOTHING), others: undefined }, []]
        : undefined,
    difference: differs ? { action: 'change', fields: [], parts: partsOf(step) } : undefined,
  })
  const order = (...all: readonly StepState[]) =>
    groupPackages(all)
      .map(({ expanded }) => expanded.step.name)
      .join(' ')
  const first = at('a', pkg('one'))
  const last = at('z', pkg('two'))

  it('is that of the playbook if there is nothing to install', () => {
    const done = [at('a', pkg('one'), { differs: false }), at('a', file('/f', '')), last]
    expect(order(...done)).to.equal('one /f two')
  })

  it('moves later packages to the first ones, before files, services and transactions of other roles', () => {
    const between = [
      at('a', file('/f', '')),
      at('a', service('nginx')),
      at('a', transaction('conf', [file('/g', '')])),
      at('b', pkg('three')),
    ]
    expect(order(at('a', file('/e', '')), first, ...between, last)).to.equal('/e one three two /f nginx conf')
  })

  it('ignores steps in between without a change', () => {
    const done = at('b', command('x', sh`:`, { unless: sh`:` }), { differs: false })
    expect(order(first, done, last)).to.equal('one two x')
  })

  const blocks: Readonly<Record<string, StepState>> = {
    'a command': at('b', command('x', sh`:`, { unless: sh`:` })),
    'a user, which a package may make as well': at('b', user('x')),
    'a kind of which nothing is known': at(
      'b',
      resource<string, undefined>('own', {
        id: () => 'x',
        affects: 'itself',
        read: () => known(undefined),
        diff: () => undefined,
        apply: () => [],
      })('x'),
    ),
    'a file of the same role': at('z', file('/x', '')),
    'a file of a role around it': at('z/inner', file('/x', '')),
    "apt's sources": at('b', file('/etc/apt/sources.list.d/x.list', '')),
    "dpkg's settings in a transaction": at('b', transaction('x', [file('/etc/dpkg/dpkg.cfg.d/x', '')])),
  }
  for (const [what, one] of Object.entries(blocks))
    it(`keeps packages behind ${what}`, () => {
      expect(order(first, one, last).split(' ').at(-1)).to.equal('two')
    })

  it('keeps packages of the play itself behind files of the play itself', () => {
    expect(order(at('', pkg('one')), at('', file('/x', '')), at('', pkg('two')))).to.equal('one /x two')
  })

  it('does not move a step with its own timeout', () => {
    expect(order(first, at('b', file('/x', '')), at('z', pkg('two', { timeout: '5m' })))).to.equal('one /x two')
  })
})

/** The parts of a transaction that change. */
function partsOf({ kind, diff }: Step) {
  return kind === 'transaction' ? (diff([undefined])?.parts ?? []) : []
}
