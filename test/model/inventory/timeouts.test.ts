import { expect } from 'chai'
import { hosts, inventory, inventorySchema } from '../../../src/index.ts'
import type { Timeouts } from '../../../src/model/inventory/host.ts'
import { wordsOf } from '../../support/words.ts'

describe('the timeouts of an inventory', () => {
  const site = inventorySchema({ web: hosts() })
  const web1 = { address: '10.0.0.1' }

  it('apply to the site, a group or a host; the value of the host takes precedence', () => {
    const { hosts: all } = inventory(site, {
      timeouts: { factor: 2, login: '1m' },
      web: {
        timeouts: { login: '2m' },
        hosts: { web1: { ...web1, timeouts: { login: '3m' } }, web2: { address: '10.0.0.2' } },
      },
    })
    expect(all.map(({ timeouts }) => timeouts)).to.deep.equal([
      { factor: 2, login: '3m' },
      { factor: 2, login: '2m' },
    ])
  })

  it('are rejected with their path if they are invalid', async () => {
    const wrong = { factor: 0, login: 'soon', lifetime: '3s' } as unknown as Timeouts
    const faulty = () => inventory(site, { timeouts: wrong, web: { hosts: { web1 } } })
    expect(await wordsOf(faulty)).to.equal(`error: The inventory does not fit its stack.
   timeouts.factor: should be a number above 0, got 0
   timeouts.login: should be a duration above 0 such as 90s or 2m, got "soon"
   timeouts.lifetime: is not known here. There are factor, login, keepalive, shell, confirm, read, check, probe.
   Nothing was done yet. Fix the inventory, then run the same command again.`)
  })
})
