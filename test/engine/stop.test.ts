import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { sessions, transports } from '../../src/api/sessions.ts'
import { run } from '../../src/engine/run.ts'
import { hosts, inventory, inventorySchema, play, playbook, sh } from '../../src/index.ts'
import type { RunEvent } from '../../src/model/event.ts'
import { command } from '../../src/resources/system/command.ts'

/** More than the default of `--forks`. */
const HOSTS = 1_000

describe('a run that is stopped before its plan is known', () => {
  const site = inventorySchema({ web: hosts() })
  const steps = [command('never', sh`exit 1`, { unless: sh`sleep 1000` })]
  const plays = playbook(site, ({ web }) => [play('web', { hosts: web }, () => steps)])

  for (const transport of ['ssh2', 'openssh'] as const)
    it(`starts no further login and cancels pending ones (${transport})`, async () => {
      const stop = new AbortController()
      const sockets = new Set<Socket>()
      let connections = 0
      const server = createServer((socket) => {
        sockets.add(socket.on('error', () => {}))
        connections++
        if (connections === 5) stop.abort()
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      const many = Object.fromEntries(
        Array.from({ length: HOSTS }, (_, i) => [
          `web${i + 1}`,
          { address: `127.0.${i >> 8}.${i & 255}`, ssh: { host: '127.0.0.1', port, proxyJump: [] } },
        ]),
      )
      const open = sessions(
        transports({ agent: false, identityFiles: [], configFile: '/dev/null', concurrency: 10 }, transport),
        {},
      )
      const events: RunEvent[] = []
      const summary = await run(
        {
          inventory: inventory(site, { web: { hosts: many } }),
          playbook: plays,
          mode: 'apply',
          stop: stop.signal,
        },
        { open, emit: (event) => events.push(event) },
      )
      expect(connections).to.be.within(5, 10)
      expect(summary.interrupted).to.equal(true)
      expect(summary.hosts.filter(({ skipped, unreachable }) => skipped === 1 && !unreachable)).to.have.length(HOSTS)
      expect(events.filter(({ kind }) => kind === 'unreachable' || kind === 'failed')).to.deep.equal([])
      for (const socket of sockets) socket.destroy()
      server.close()
    })

  it('does not wait for its reads', async () => {
    const stop = new AbortController()
    const open = sessions(transports({}, 'local'), { method: 'none' })
    const summary = await run(
      {
        inventory: inventory(site, { web: { hosts: { web1: { address: '127.0.0.1' } } } }),
        playbook: plays,
        mode: 'plan',
        stop: stop.signal,
      },
      {
        open,
        emit: ({ kind }) => {
          if (kind === 'connected') setTimeout(() => stop.abort(), 500)
        },
      },
    )
    expect(summary.hosts[0]).to.include({ skipped: 1, failed: 0, unreachable: false })
  })
})
