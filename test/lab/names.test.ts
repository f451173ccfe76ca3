import { expect } from 'chai'
import { byName, checkName } from '../../src/lab/names.ts'
import { Problem } from '../../src/model/problem.ts'

describe('names in a lab', () => {
  const hosts = [{ name: 'web1' }, { name: 'web2' }, { name: 'db1' }]

  it('find a host', () => {
    expect(byName(hosts, 'db1', 'demo')).to.equal(hosts[2])
  })

  it('that are mistyped bring the nearest ones', () => {
    expect(() => byName(hosts, 'wbe1', 'demo'))
      .to.throw(Problem, 'The lab "demo" has no host "wbe1".')
      .with.property('next')
      .that.includes('"web1"')
  })

  it('that are like none bring them all', () => {
    expect(() => byName(hosts, 'balancer', 'demo'))
      .to.throw(Problem)
      .with.property('next', 'It has web1, web2, db1.')
  })

  for (const name of ['Web1', '../demo', '', '1web', 'web_1', 'web1-', 'a'.repeat(33)]) {
    it(`cannot be ${JSON.stringify(name)}`, () => {
      expect(() => checkName('host', name)).to.throw(Problem, 'cannot be the name of a host')
    })
  }
})
