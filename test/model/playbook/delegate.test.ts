import { expect } from 'chai'
import { stepOn } from '../../../src/model/playbook/expand.ts'
import { unit } from '../../../src/resources/systemd/unit.ts'

describe('a delegated step', () => {
  it('also has the handlers that it satisfies on the host where it runs', () => {
    const step = { ...unit('a.service', '[Service]\nExecStart=/bin/true\n') }
    const satisfying = { ...step, satisfies: [{ name: 'reload', commands: [] }] }
    const { satisfies, on } = stepOn(satisfying, { name: 'db1', group: 'db', address: '10.0.0.1' })
    expect(satisfies.map(({ name }) => name)).to.deep.equal(['reload on db1'])
    expect(on?.name).to.equal('db1')
  })
})
