import { once } from 'node:events'
import { expect } from 'chai'
import { Clock } from '../../src/transport/clock.ts'
import { localConnection } from '../../src/transport/local.ts'
import { drainOutput } from '../../src/transport/transport.ts'

describe('this machine as a host', () => {
  it('starts commands and tells how they ended', async () => {
    const link = localConnection()
    const ends = await Promise.all(
      ['exit 3', 'kill -TERM $$', 'exec nonsense-command'].map(
        async (command) => (await link.start(command)).ended,
      ),
    )
    expect(ends).to.deep.equal([{ code: 3 }, { signal: 'SIGTERM' }, { code: 127 }])
    await link.close()
  })

  it('kills what is left with all that it started, when it is closed', async () => {
    const link = localConnection()
    const wire = await link.start('sleep 60 & echo $!; wait')
    const [pid] = await once(wire.stdout, 'data')
    await link.close()
    await drainOutput(wire, new Clock())
    expect(await wire.ended).to.deep.equal({ signal: 'SIGKILL' })
    expect(wire.stdout.readableEnded || wire.stdout.destroyed, `process ${pid} has let go`).to.equal(true)
  })

  it('stands a second end', async () => {
    const link = localConnection()
    const wire = await link.start(':')
    await wire.ended
    wire.destroy()
    await link.close()
    await link.close()
  })
})
