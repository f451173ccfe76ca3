import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { locked } from '../../src/lab/base/lock.ts'
import { isAlive, processId } from '../../src/lab/base/state.ts'

describe('a lock', () => {
  const name = `test-${process.pid}`

  it('allows one holder at a time', async () => {
    const order: string[] = []
    const work = (who: string) =>
      locked({ name }, async () => {
        order.push(`${who} begins`)
        await new Promise(setImmediate)
        order.push(`${who} ends`)
      })
    await Promise.all([work('a'), work('b')])
    const [first, second] = order[0] === 'a begins' ? ['a', 'b'] : ['b', 'a']
    expect(order).to.deep.equal([`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`])
  })

  it('is released after the work, also if it failed', async () => {
    const error = await locked({ name }, () => Promise.reject(new Error('no'))).catch((reason: unknown) => reason)
    expect(error).to.have.property('message', 'no')
    expect(await locked({ name }, async () => 'mine')).to.equal('mine')
  })

  it('reports once that it waits, and is released when its owner dies', async () => {
    const take = `require('net').createServer().listen('\\0provision-lab/${name}', () => console.log('taken'))`
    const owner = spawn(process.execPath, ['-e', take], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(owner.stdout, 'data')
    let reports = 0
    const waiting = () => {
      reports++
      owner.kill('SIGKILL')
    }
    expect(await locked({ name, waiting }, async () => 'mine')).to.equal('mine')
    expect(reports).to.equal(1)
  })
})

describe('a process', () => {
  it('is distinguished from a later one with the same pid', () => {
    const own = processId(process.pid)
    expect(own && isAlive(own)).to.equal(true)
    expect(own && isAlive({ ...own, started: '1' })).to.equal(false)
    expect(own && isAlive({ ...own, boot: 'another' })).to.equal(false)
  })
})
