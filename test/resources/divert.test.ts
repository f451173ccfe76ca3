import { expect } from 'chai'
import { readAll } from '../../src/model/resource/read.ts'
import { dpkgDivert } from '../../src/resources/packages/divert.ts'
import { parsed } from './parsed.ts'

describe('dpkgDivert', () => {
  it('reads the diversions of dpkg', () => {
    const steps = [dpkgDivert('/a'), dpkgDivert('/b'), dpkgDivert('/c')]
    const said = '/x\n/a\n:\n/a\n/a.old\n:\n/c\n/c.dash\ndash\n'
    expect(parsed(readAll(steps.map(({ read }) => read)), said)).to.deep.equal([
      { to: '/a.old', owner: ':' },
      undefined,
      { to: '/c.dash', owner: 'dash' },
    ])
  })

  it('takes two paths, and explains why dpkg moved no file', () => {
    expect(() => dpkgDivert('/a', { to: '/a' })).to.throw(TypeError, 'dpkgDivert /a: the path is diverted to itself')
    expect(() => dpkgDivert('/a/')).to.throw(TypeError, 'ends with a slash')
    const [add] = dpkgDivert('/a').apply(undefined)
    expect(add?.explain?.("dpkg-divert: error: rename involves overwriting '/a.distrib' with\n")?.what).to.equal(
      'both paths have a file, and they differ',
    )
    expect(add?.explain?.('no')).to.equal(undefined)
  })
})
