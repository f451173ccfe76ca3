import { expect } from 'chai'
import { Lost, Slow } from '../../examples/notes-api/src/database/failures.ts'
import type { Pool, Row } from '../../examples/notes-api/src/database/pool.ts'
import { Primary } from '../../examples/notes-api/src/database/primary.ts'
import { jsonLog } from '../../examples/notes-api/src/log.ts'
import { Metrics } from '../../examples/notes-api/src/metrics.ts'

const db1 = { host: '192.0.2.1', port: 5432 }
const db2 = { host: '192.0.2.2', port: 5432 }

const STANDBY = { standby: true, read_only: 'on', timeline: null }
const PRIMARY = { standby: false, read_only: 'off', timeline: '00000002' }

describe('a primary that does not answer within a second', () => {
  /** True if the sessions of db1 are closed after db1 and db2 gave these answers. */
  async function drops(first: () => Row, second: Row = STANDBY): Promise<boolean> {
    const closed = new Set<Pool>()
    let answers = { first: (): Row => PRIMARY, second: STANDBY as Row }
    const primary = new Primary({
      hosts: [db1, db2],
      open: (endpoint) => {
        const pool: Pool = {
          endpoint,
          session: (work) => work(async () => [endpoint === db1 ? answers.first() : answers.second]),
          destroy: () => closed.add(pool),
        }
        return pool
      },
      prepare: async () => {},
      log: jsonLog(() => {}),
      metrics: new Metrics({}),
    })
    const pool = await primary.pool()
    answers = { first, second }
    await primary.doubt(pool)
    return closed.has(pool)
  }
  const fails = (error: Error) => () => {
    throw error
  }

  it('keeps its sessions if it is the primary, or only slow: their commits would be in doubt', async () => {
    expect(await drops(() => PRIMARY)).to.equal(false)
    expect(await drops(fails(new Slow('no answer within 4000 ms')))).to.equal(false)
  })

  it('loses them if it refuses connections, is a standby, or if another host is the primary', async () => {
    expect(await drops(fails(new Lost('connect ECONNREFUSED')))).to.equal(true)
    expect(await drops(() => STANDBY)).to.equal(true)
    expect(await drops(fails(new Slow('no answer within 4000 ms')), { ...PRIMARY, timeline: '00000003' })).to.equal(
      true,
    )
  })
})
