import { expect } from 'chai'
import { sessions, targetOf } from '../../src/cli/sessions.ts'
import type { Host } from '../../src/model/inventory/host.ts'
import { sh } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import type { Connection, Target, Transport } from '../../src/transport/transport.ts'
import { thrown } from '../transport/helpers.ts'

const host: Host = { name: 'web1', group: 'web', address: '10.0.0.1' }

describe('a host of an inventory', () => {
  it('is reached at its address, unless its ssh settings say otherwise', () => {
    expect(targetOf(host)).to.deep.equal({ name: 'web1', host: '10.0.0.1', alias: 'web1' })
    expect(targetOf({ ...host, ssh: { host: 'web1.example.com', port: 2222, user: 'ana' } })).to.deep.equal({
      name: 'web1',
      host: 'web1.example.com',
      port: 2222,
      user: 'ana',
    })
  })

  it('is reached through the hosts on the way, one or many', () => {
    const jump = { host: 'jump', user: 'ana' }
    const through = [{ name: 'jump', host: 'jump', user: 'ana' }]
    expect(targetOf({ ...host, ssh: { proxyJump: jump } }).proxyJump).to.deep.equal(through)
    expect(targetOf({ ...host, ssh: { proxyJump: [jump] } }).proxyJump).to.deep.equal(through)
    // Not even through the ProxyJump of ssh_config.
    expect(targetOf({ ...host, ssh: { proxyJump: [] } }).proxyJump).to.deep.equal([])
  })
})

describe('the sessions of a run', () => {
  /** This machine in place of every host, with what was asked of it. */
  const here = () => {
    const targets: Target[] = []
    const links: { link: Connection; closed: boolean }[] = []
    const transport: Transport = {
      connect: async (target) => {
        targets.push(target)
        const link = localConnection()
        const one = { link, closed: false }
        links.push(one)
        return {
          ...link,
          close: () => {
            one.closed = true
            return link.close()
          },
        }
      },
    }
    return { transport, targets, links }
  }

  it('are shells on the host, whose link ends with them', async () => {
    const { transport, targets, links } = here()
    const { session, close } = await sessions(async () => transport, {})(
      { ...host, become: { method: 'none' } },
      'look',
    )
    const [result] = await session.run([{ script: sh`echo $((1 + 1))` }])
    await close()
    expect(result?.stdout.toString()).to.equal('2\n')
    expect(targets).to.deep.equal([{ name: 'web1', host: '10.0.0.1', alias: 'web1' }])
    expect(links.map(({ closed }) => closed)).to.deep.equal([true])
  })

  it('end their link when no shell can be had', async () => {
    const { transport, links } = here()
    const mute: Transport = {
      connect: async (target) => ({
        ...(await transport.connect(target)),
        start: () => Promise.reject(new Error('it starts nothing')),
      }),
    }
    const error = await thrown(sessions(async () => mute, {})(host, 'look'))
    expect(String(error)).to.equal('Error: it starts nothing')
    expect(links.map(({ closed }) => closed)).to.deep.equal([true])
  })
})
