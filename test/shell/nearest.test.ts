import { expect } from 'chai'
import { didYouMean, nearest } from '../../src/shell/nearest.ts'

describe('the nearest names', () => {
  const hosts = ['web1', 'web2', 'lb1', 'db1', 'postgres']

  it('correct a typing error, the best one first', () => {
    expect(nearest('wbe1', hosts)[0]).to.equal('web1')
    expect(nearest('postgers', hosts)).to.deep.equal(['postgres'])
    expect(nearest('WEB1', hosts)[0]).to.equal('web1')
  })

  it('complete a prefix', () => {
    expect(nearest('post', hosts)).to.deep.equal(['postgres'])
  })

  it('are at most three, without duplicates and distant names', () => {
    expect(nearest('web', ['web1', 'web1', 'web2', 'web3', 'web4'])).to.have.lengthOf(3)
    expect(nearest('haproxy', hosts)).to.deep.equal([])
  })

  it('form a question if there are any', () => {
    expect(didYouMean('web3', hosts)).to.equal('Did you mean "web1" or "web2"?')
    expect(didYouMean('haproxy', hosts)).to.equal(undefined)
  })
})
