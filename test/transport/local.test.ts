import { once } from 'node:events'
import { expect } from 'chai'
import { Clock } from '../../src/transport/clock.ts'
import { localConnection } from '../../src/transport/local.ts'
import { drainOutput } from '../../src/transport/transport.ts'

describe('this machine as a host', () => {
  it('starts commands and reports their exit', async () => {
    const connection = localConnection()
    const ends = await Promise.all(
      ['exit 3', 'kill -TERM $$', 'exec nonsense-command'].map(
        async (command) => (await connection.start(command)).exit,
      ),
    )
    expect(ends).to.deep.equal([{ code: 3 }, { signal: 'SIGTERM' }, { code: 127 }])
    await connection.close()
  })

  it('kills remaining processes with their children when it is closed', async () => {
    const connection = localConnection()
    const remote = await connection.start('sleep 60 & echo $!; wait')
    const [pid] = await once(remote.stdout, 'data')
    await connection.close()
    await drainOutput(remote, new Clock())
    expect(await remote.exit).to.deep.equal({ signal: 'SIGKILL' })
    expect(remote.stdout.readableEnded || remote.stdout.destroyed, `process ${pid} has let go`).to.equal(true)
  })

  it('allows a second end', async () => {
    const connection = localConnection()
    const remote = await connection.start(':')
    await remote.exit
    remote.destroy()
    await connection.close()
    await connection.close()
  })
})
