import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Semaphore } from '../../src/transport/concurrency.ts'
import { Unreachable } from '../../src/transport/errors.ts'
import { loginWithRetries } from '../../src/transport/ssh/retry.ts'
import { thrown } from './helpers.ts'

describe('a login that the host drops', () => {
  const dropped = new Unreachable('it hung up', { reason: 'dropped' })
  const limits = { semaphore: new Semaphore(1), stop: undefined }

  it('is retried however long it waited in the queue', async () => {
    const release = await limits.semaphore.acquire()
    let attempts = 0
    const login = loginWithRetries(
      async () => {
        attempts += 1
        if (attempts === 1) throw dropped
        return 'in'
      },
      { ...limits, retries: 1, timeout: 20 },
    )
    await sleep(30)
    release()
    expect(await login).to.equal('in')
  })

  it('is not retried after the timeout or the last retry', async () => {
    let attempts = 0
    const slow = async () => {
      attempts += 1
      await sleep(30)
      throw dropped
    }
    expect(await thrown(loginWithRetries(slow, { ...limits, retries: 5, timeout: 20 }))).to.equal(dropped)
    expect(attempts).to.equal(1)
    expect(await thrown(loginWithRetries(slow, { ...limits, retries: 1, timeout: 10_000 }))).to.equal(dropped)
    expect(attempts).to.equal(3)
  })

  it('is not retried for any other reason', async () => {
    const refused = new Unreachable('no', { reason: 'refused' })
    const login = () => Promise.reject(refused)
    expect(await thrown(loginWithRetries(login, { ...limits, retries: 5, timeout: 1000 }))).to.equal(refused)
  })
})
