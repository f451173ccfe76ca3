import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Unreachable } from '../../src/transport/errors.ts'
import { retryDropped } from '../../src/transport/ssh/retry.ts'
import { thrown } from './helpers.ts'

describe('a host that turns us away', () => {
  const dropped = new Unreachable('it hung up', { reason: 'dropped' })

  it('is tried again however long we waited for our turn', async () => {
    let attempts = 0
    const said = await retryDropped(
      async (begin) => {
        await sleep(30)
        begin()
        attempts += 1
        if (attempts === 1) throw dropped
        return 'in'
      },
      { retries: 1, timeout: 20 },
    )
    expect(said).to.equal('in')
  })

  it('is given up when the attempts themselves have taken too long, or were as many as agreed', async () => {
    let attempts = 0
    const slow = async (begin: () => void) => {
      begin()
      attempts += 1
      await sleep(30)
      throw dropped
    }
    expect(await thrown(retryDropped(slow, { retries: 5, timeout: 20 }))).to.equal(dropped)
    expect(attempts).to.equal(1)
    expect(await thrown(retryDropped(slow, { retries: 1, timeout: 10_000 }))).to.equal(dropped)
    expect(attempts).to.equal(3)
  })

  it('is not tried again for any other reason', async () => {
    const refused = new Unreachable('no', { reason: 'refused' })
    expect(await thrown(retryDropped(() => Promise.reject(refused), { retries: 5, timeout: 1000 }))).to.equal(
      refused,
    )
  })
})
