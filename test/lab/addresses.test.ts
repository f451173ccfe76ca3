import { expect } from 'chai'
import { defaultHosts, macAddress, planAddresses, usualPort } from '../../src/lab/network/addresses.ts'
import { wordsOf } from '../support/words.ts'

describe('addresses of a lab', () => {
  it('contain the tier and number of a host', () => {
    const plan = planAddresses(['lb1', 'web2', 'app1', 'db9', 'witness1'])
    expect([...plan.values()]).to.deep.equal([
      ...['198.18.0.11', '198.18.0.22', '198.18.0.31', '198.18.0.49', '198.18.0.61'],
    ])
  })

  it('start at 51 for other names, and for more than nine of a tier', () => {
    const plan = planAddresses(['witness', 'web10', 'web1'])
    expect([...plan.values()]).to.deep.equal(['198.18.0.51', '198.18.0.52', '198.18.0.21'])
  })

  it('are by default those of nine hosts, of eight on Debian 12', () => {
    expect(defaultHosts(13)).to.deep.equal([...defaultHosts(12), 'witness1'])
    expect(defaultHosts(12)).to.have.lengthOf(8)
  })

  it('do not change when hosts are added', () => {
    const before = planAddresses(['witness', 'backup'])
    const after = planAddresses(['archive', 'backup'], before)
    expect(Object.fromEntries(after)).to.deep.equal({
      witness: '198.18.0.51',
      backup: '198.18.0.52',
      archive: '198.18.0.53',
    })
  })

  it('end', async () => {
    const many = Array.from({ length: 205 }, (_, i) => `host-${i}`)
    expect(
      await wordsOf(() => planAddresses(many)),
    ).to.equal(`error: The lab has no free address for another host: 51 to 254 are in use.
   Bring the others up in another lab: provision lab up --name …`)
  })

  it('give a port and a hardware address', () => {
    expect(usualPort('198.18.0.42')).to.equal(2242)
    expect(macAddress('198.18.0.42')).to.equal('02:00:c6:12:00:2a')
  })
})
