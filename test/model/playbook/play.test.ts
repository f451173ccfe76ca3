import { expect } from 'chai'
import { optional, text } from '../../../src/model/inventory/fields.ts'
import { hosts, inventorySchema, missingEntries } from '../../../src/model/inventory/schema.ts'
import { type BatchSize, batches } from '../../../src/model/playbook/batches.ts'
import { play } from '../../../src/model/playbook/play.ts'
import { playbook } from '../../../src/model/playbook/playbook.ts'

describe('a play', () => {
  const web = { hosts: [{ name: 'web1', group: 'web', address: '10.0.0.1' }] }

  it('has the place of its definition', () => {
    expect(play('web', { hosts: web }, () => []).source).to.include({ file: import.meta.filename })
  })

  it('has a list of batch sizes for each form of serial', () => {
    const serial = (of?: number | `${number}%` | readonly BatchSize[]) =>
      play('web', { hosts: web, ...(of !== undefined && { serial: of }) }, () => []).serial
    expect([serial(), serial(2), serial('50%'), serial([1, '50%'])]).to.deep.equal([
      undefined,
      [2],
      ['50%'],
      [1, '50%'],
    ])
  })

  it('of a playbook depends on the values of an inventory', () => {
    const site = inventorySchema({ domain: text, web: hosts() })
    const made = playbook(site, ({ domain, web: group }) => [play(domain, { hosts: group }, () => [])])
    const group = { name: 'web', ...web, without: () => [], only: () => web.hosts[0] as never }
    expect(made.plays({ domain: 'a', web: group as never }).map(({ label }) => label)).to.deep.equal(['a'])
  })

  it('requires the entries of its schema', () => {
    const site = inventorySchema({ domain: text, note: optional(text), web: hosts() })
    expect(missingEntries(site, { domain: 'a' })).to.deep.equal(['web'])
    expect(missingEntries(site, { domain: 'a', web: {} })).to.deep.equal([])
  })
})

describe('batches', () => {
  const TABLE: readonly (readonly [
    count: number,
    serial: readonly BatchSize[] | undefined,
    sizes: readonly number[],
  ])[] = [
    [3, undefined, [3]],
    [0, undefined, []],
    [3, [], [3]],
    [0, [1], []],
    [3, [1], [1, 1, 1]],
    [5, [2], [2, 2, 1]],
    [5, [1, 2], [1, 2, 2]],
    [10, ['30%'], [3, 3, 3, 1]],
    [10, [1, '50%', '100%'], [1, 5, 4]],
    // At least one, or the rollout would never end.
    [3, ['10%'], [1, 1, 1]],
    [3, [0], [1, 1, 1]],
    [2, [9], [2]],
  ]
  for (const [count, serial, sizes] of TABLE)
    it(`of ${count} hosts with serial ${JSON.stringify(serial)} have ${sizes.join(', ') || 'nothing in them'}`, () => {
      const all = Array.from({ length: count }, (_, i) => i)
      const made = batches(all, serial)
      expect(made.map(({ length }) => length)).to.deep.equal(sizes)
      expect(made.flat()).to.deep.equal(all)
    })

  it('reject an invalid size', () => {
    expect(() => batches([1], ['half' as '50%'])).to.throw(TypeError, 'serial: "half"')
  })
})
