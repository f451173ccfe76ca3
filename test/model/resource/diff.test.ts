import { expect } from 'chai'
import { compare } from '../../../src/model/resource/diff.ts'

describe('compare', () => {
  it('returns undefined in the declared state', () => {
    expect(compare({ mode: '0644', size: 3 }, { mode: '0644', size: 3 })).to.equal(undefined)
    expect(compare({}, {})).to.equal(undefined)
  })

  it('returns each field that differs, with the current value if there is one and the declared value', () => {
    expect(compare({ mode: '0644', owner: 'root', on: true }, { mode: '0600', on: true })).to.deep.equal({
      action: 'change',
      fields: [
        { name: 'mode', from: '0600', to: '0644' },
        { name: 'owner', to: 'root' },
      ],
    })
  })

  it('ignores undeclared fields', () => {
    expect(compare<{ mode: string | undefined }>({ mode: undefined }, { mode: '0600' })).to.equal(undefined)
  })

  it('returns create if nothing exists, even without fields', () => {
    expect(compare({}, undefined)).to.deep.equal({ action: 'create', fields: [] })
    expect(compare({ mode: '0644' }, undefined)).to.deep.equal({
      action: 'create',
      fields: [{ name: 'mode', to: '0644' }],
    })
  })

  it('distinguishes false and 0 from undefined', () => {
    expect(
      compare<{ enabled: boolean; count: number }>({ enabled: false, count: 0 }, { enabled: true, count: undefined })
        ?.fields,
    ).to.deep.equal([
      { name: 'enabled', from: 'true', to: 'false' },
      { name: 'count', to: '0' },
    ])
  })
})
