import { expect } from 'chai'
import { sessions, targetOf } from '../../src/api/sessions.ts'
import type { Host } from '../../src/model/inventory/host.ts'
import { sh } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import type { Connection, Target, Transport } from '../../src/transport/transport.ts'
import { thrown } from '../transport/helpers.ts'

const host: Host = { name: 'web1', group: 'web', address: '10.0.0.1' }

describe('the target of a host', () => {
  it('has its address, or the host of its ssh settings', () => {
    expect(targetOf(host)).to.deep.equal({ name: 'web1', host: '10.0.0.1', alias: 'web1' })
    expect(targetOf({ ...host, ssh: { host: 'web1.example.com', port: 2222, user: 'ana' } })).to.deep.equal({
      name: 'web1',
      host: 'web1.example.com',
      port: 2222,
      user: 'ana',
    })
  })

  it('has its jump hosts', () => {
    const jump = { host: 'jump', user: 'ana' }
    const through = [{ name: 'jump', host: 'jump', user: 'ana' }]
    expect(targetOf({ ...host, ssh: { proxyJump: jump } }).proxyJump).to.deep.equal(through)
    expect(targetOf({ ...host, ssh: { proxyJump: [jump] } }).proxyJump).to.deep.equal(through)
    // [] disables ProxyJump of ssh_config, too.
    expect(targetOf({ ...host, ssh: { proxyJump: [] } }).proxyJump).to.deep.equal([])
  })
})

describe('a session', () => {
  /** A transport to this machine that records its targets. */
  const here = () => {
    const targets: Target[] = []
    const connections: { connection: Connection; closed: boolean }[] = []
    const transport: Transport = {
      connect: async (target) => {
        targets.push(target)
        const connection = localConnection()
        const one = { connection, closed: false }
        connections.push(one)
        return {
          ...connection,
          close: () => {
            one.closed = true
            return connection.close()
          },
        }
      },
    }
    return { transport, targets, connections }
  }

  it('is a shell on the host, and closes its connection', async () => {
    const { transport, targets, connections } = here()
    const { session, close } = await sessions(async () => transport, {})(
      { ...host, become: { method: 'none' } },
      { lock: false },
    )
    const [result] = await session.run([{ script: sh`echo $((1 + 1))` }])
    await close()
    expect(result?.stdout.toString()).to.equal('2\n')
    expect(targets).to.deep.equal([{ name: 'web1', host: '10.0.0.1', alias: 'web1' }])
    expect(connections.map(({ closed }) => closed)).to.deep.equal([true])
  })

  it('closes its connection if no shell starts', async () => {
    const { transport, connections } = here()
    const mute: Transport = {
      connect: async (target) => ({
        ...(await transport.connect(target)),
        start: () => Promise.reject(new Error('it starts nothing')),
      }),
    }
    const error = await thrown(sessions(async () => mute, {})(host, { lock: false }))
    expect(String(error)).to.equal('Error: it starts nothing')
    expect(connections.map(({ closed }) => closed)).to.deep.equal([true])
  })
})
