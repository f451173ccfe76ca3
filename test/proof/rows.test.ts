import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from '../integration/support.ts'
import { AUTOMATIC_ROWS } from './automatic/rows.ts'
import { SUITES } from './suites.ts'

describe('the rows of the proof', () => {
  const named = (page: string) =>
    new Set(readFileSync(join(ROOT, 'docs', page), 'utf8').match(/(?<=`)automatic-[a-z-]+(?=`)/g))
  const automatic = AUTOMATIC_ROWS.map(({ name }) => name)

  it('have different names', () => {
    const names = SUITES.flatMap(({ rows }) => rows.map(({ name }) => name))
    expect(names.filter((name, i) => names.indexOf(name) !== i)).to.deep.equal([])
  })

  it('of automatic failover are all in docs/proof.md, and each has a control', () => {
    expect([...named('proof.md')].sort()).to.deep.equal([...automatic].sort())
    expect(AUTOMATIC_ROWS.filter(({ control }) => control === undefined)).to.deep.equal([])
  })

  it('exist where docs/operations.md names them', () => {
    const names = named('operations.md')
    expect(names.size).to.be.greaterThan(5)
    expect([...names].filter((name) => !automatic.includes(name))).to.deep.equal([])
  })
})
