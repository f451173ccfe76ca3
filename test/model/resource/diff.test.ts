import { expect } from 'chai'
import { compare } from '../../../src/model/resource/diff.ts'

describe('compare', () => {
  it('finds nothing where all that is wanted is there', () => {
    expect(compare({ mode: '0644', size: 3 }, { mode: '0644', size: 3 })).to.equal(undefined)
    expect(compare({}, {})).to.equal(undefined)
  })

  it('tells each field that differs: what it is, if it is anything, and what it should be', () => {
    expect(compare({ mode: '0644', owner: 'root', on: true }, { mode: '0600', on: true })).to.deep.equal({
      action: 'change',
      fields: [
        { name: 'mode', from: '0600', to: '0644' },
        { name: 'owner', to: 'root' },
      ],
    })
  })

  it('leaves out what nobody cares about', () => {
    expect(compare<{ mode: string | undefined }>({ mode: undefined }, { mode: '0600' })).to.equal(undefined)
  })

  it('creates where there is nothing, be it without fields', () => {
    expect(compare({}, undefined)).to.deep.equal({ action: 'create', fields: [] })
    expect(compare({ mode: '0644' }, undefined)).to.deep.equal({
      action: 'create',
      fields: [{ name: 'mode', to: '0644' }],
    })
  })

  it('tells false and 0 from nothing', () => {
    expect(
      compare<{ enabled: boolean; count: number }>(
        { enabled: false, count: 0 },
        { enabled: true, count: undefined },
      )?.fields,
    ).to.deep.equal([
      { name: 'enabled', from: 'true', to: 'false' },
      { name: 'count', to: '0' },
    ])
  })
})
