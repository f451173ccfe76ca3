import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { call, type Handlers, serveCalls } from '../../src/lab/supervisor/control.ts'
import { Problem } from '../../src/model/problem.ts'
import { wordsOf } from '../support/words.ts'

describe('calls to a supervisor', () => {
  const handlers: Handlers = {
    up: async ({ hosts }, log) => {
      for (const host of hosts) log(`${host} answers`)
      return null
    },
    status: async () => [],
    act: async ({ host }) => {
      throw new Problem(`"${host}" did not stay up.`, { details: ['its last words'], next: 'look' })
    },
    split: async () => null,
    delay: async () => null,
    slow: async () => null,
    snapshot: async () => null,
  }
  let directory: string
  let socket: string
  let server: Server

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'control-'))
    socket = join(directory, 'control.sock')
    server = await serveCalls(socket, handlers)
  })

  after(() => {
    server.close()
    rmSync(directory, { recursive: true })
  })

  it('are accepted from the owner of the socket only', () => {
    expect(statSync(socket).mode & 0o777).to.equal(0o600)
  })

  it('return lines while they run, then a result', async () => {
    const lines: string[] = []
    const mirror = { archive: 'http://mirror.example/debian', security: undefined }
    const order = { hosts: ['web1', 'web2'], debian: 12, base: '/base', mirror, cpuPercent: null } as const
    expect(await call(socket, 'up', order, (line) => lines.push(line))).to.equal(null)
    expect(lines).to.deep.equal(['web1 answers', 'web2 answers'])
  })

  it('transfer a problem with all its parts', async () => {
    const problem = await call(socket, 'act', { verb: 'start', host: 'web1' }).catch((error: unknown) => error)
    expect(problem)
      .to.be.instanceOf(Problem)
      .and.to.deep.include({ details: ['its last words'], next: 'look' })
    expect(problem).to.have.property('message', '"web1" did not stay up.')
  })

  it('report a missing supervisor', async () => {
    expect(
      await wordsOf(() => call(join(directory, 'none'), 'status', null)),
    ).to.equal(`error: The supervisor of the lab is not running.
   provision lab up`)
  })

  it('report a supervisor that ends before its answer', async () => {
    const path = join(directory, 'dying.sock')
    const dying = createServer((socket) => socket.once('data', () => socket.destroy()))
    await once(dying.listen(path), 'listening')
    expect(
      await wordsOf(() => call(path, 'status', null)).finally(() => dying.close()),
    ).to.equal(`error: The lab was taken down during the call.
   provision lab up`)
  })
})
