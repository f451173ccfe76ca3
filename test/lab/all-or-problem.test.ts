import { expect } from 'chai'
import { allOrProblem } from '../../src/lab/supervisor/running-lab.ts'
import { Problem } from '../../src/model/problem.ts'
import { wordsOf } from '../support/words.ts'

describe('hosts that start concurrently', () => {
  const well = Promise.resolve()
  const off = () =>
    Promise.reject(new Problem('"web1" did not stay up.', { details: ['its last words'], next: 'look at its console' }))
  const broken = () => Promise.reject(new Error('no more memory'))

  it('are all awaited', async () => {
    await allOrProblem([well, well])
    await allOrProblem([])
  })

  it('report the error of a single failed host unchanged', async () => {
    expect(await wordsOf(() => allOrProblem([well, off()]))).to.equal(`error: "web1" did not stay up.
   its last words
   look at its console`)
  })

  it('report the errors of several hosts together', async () => {
    expect(await wordsOf(() => allOrProblem([off(), well, broken()]))).to.equal(`error: 2 hosts did not come up.
   "web1" did not stay up.
   its last words
   look at its console
   Error: no more memory
   provision lab up tries again with those that are not up.`)
  })
})
