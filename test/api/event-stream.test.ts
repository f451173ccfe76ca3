import { expect } from 'chai'
import { EventStream } from '../../src/api/event-stream.ts'
import type { RunEvent } from '../../src/model/event.ts'

const event = (host: string): RunEvent => ({ kind: 'connected', host, ms: 1 })

/** The hosts of the events that a reader gets, and the error that ends them. */
async function read(stream: EventStream): Promise<readonly string[]> {
  const got: string[] = []
  try {
    for await (const one of stream) got.push(one.kind === 'connected' ? one.host : one.kind)
  } catch (error) {
    got.push(String(error))
  }
  return got
}

describe('the events of a run', () => {
  it('reach a reader that begins before, during and after the run, in order', async () => {
    const early = new EventStream()
    const reading = read(early)
    early.push(event('web1'))
    await new Promise((resolve) => setImmediate(resolve))
    early.push(event('web2'))
    early.push(event('web3'))
    early.end()
    expect(await reading).to.deep.equal(['web1', 'web2', 'web3'])

    const late = new EventStream()
    late.push(event('web1'))
    late.end()
    expect(await read(late)).to.deep.equal(['web1'])
  })

  it('end with the error of the run', async () => {
    const stream = new EventStream()
    stream.push(event('web1'))
    stream.end(new Error('wrong inventory'))
    expect(await read(stream)).to.deep.equal(['web1', 'Error: wrong inventory'])
  })

  it('are dropped once the reader has left', async () => {
    const stream = new EventStream()
    stream.push(event('web1'))
    stream.push(event('web2'))
    for await (const _ of stream) break
    stream.push(event('web3'))
    stream.end()
    expect(await read(stream)).to.deep.equal([])
  })
})
