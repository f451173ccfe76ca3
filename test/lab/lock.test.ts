import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { locked } from '../../src/lab/lock.ts'
import { isAlive, processId } from '../../src/lab/process-id.ts'

describe('a lock', () => {
  let directory: string
  let path: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lock-'))
    path = join(directory, 'lab.lock')
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  it('lets one work at a time', async () => {
    const order: string[] = []
    const work = (name: string) =>
      locked({ path }, async () => {
        order.push(`${name} begins`)
        await new Promise(setImmediate)
        order.push(`${name} ends`)
      })
    await Promise.all([work('a'), work('b')])
    const [first, second] = order[0] === 'a begins' ? ['a', 'b'] : ['b', 'a']
    expect(order).to.deep.equal([`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`])
  })

  it('is gone after its work, which may have failed', async () => {
    const error = await locked({ path }, () => Promise.reject(new Error('no'))).catch(
      (reason: unknown) => reason,
    )
    expect(error).to.have.property('message', 'no')
    expect(existsSync(path)).to.equal(false)
  })

  it('is taken from a process that died', async () => {
    const { pid } = spawnSync('true')
    writeFileSync(path, JSON.stringify({ pid, started: '1', boot: processId(process.pid)?.boot }))
    expect(await locked({ path }, async () => 'mine')).to.equal('mine')
  })

  it('tells a process from a later one of the same number', () => {
    const own = processId(process.pid)
    expect(own && isAlive(own)).to.equal(true)
    expect(own && isAlive({ ...own, started: '1' })).to.equal(false)
    expect(own && isAlive({ ...own, boot: 'another' })).to.equal(false)
  })
})
