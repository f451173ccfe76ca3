import { expect } from 'chai'
import { role } from '../../../src/model/playbook/role.ts'
import { InvalidParams, Problem } from '../../../src/model/problem.ts'
import { FACTS, HOST } from '../../roles/expanded.ts'

describe('a role', () => {
  const picky = role('picky', (_params: { readonly size: number }) => [], {
    os: ['debian 12', 'ubuntu 24.04'],
    check: ({ size }) => {
      if (size < 1) throw new InvalidParams('Nothing is that small.', { where: 'size', next: 'Take more.' })
    },
  })

  it('rejects params at its call, with its name and the param', () => {
    const refused = caught(() => picky({ size: 0 }))
    expect(refused).to.be.instanceOf(InvalidParams)
    expect(refused).to.include({
      message: 'Nothing is that small.',
      where: 'role picky, size',
      next: 'Take more.',
    })
  })

  it('rejects a host with an unsupported release when it is expanded', () => {
    const steps = (version: string) => () =>
      picky({ size: 1 }).steps({ facts: { ...FACTS, os: { id: 'debian', version, codename: '' } }, host: HOST })
    expect(steps('12')).not.to.throw()
    expect(caught(steps('10')))
      .to.be.instanceOf(InvalidParams)
      .and.include({ message: 'host1 runs Debian 10.' })
  })
})

function caught(body: () => unknown): Problem {
  try {
    body()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was refused')
}
