import { expect } from 'chai'
import { Slow } from '../../examples/notes-api/src/database/failures.ts'
import type { Pool, Query } from '../../examples/notes-api/src/database/pool.ts'
import { survey } from '../../examples/notes-api/src/database/survey.ts'

const gone = { host: '192.0.2.1', port: 5432 }
const standby = { host: '192.0.2.2', port: 5432 }

const STANDBY = { standby: true, read_only: 'on', timeline: null }
const PRIMARY = { standby: false, read_only: 'off', timeline: '00000002' }

describe('the search for the database host that takes writes', () => {
  it('finds a standby that is promoted while the dead primary is still silent', async () => {
    let asked = 0
    const { best, words } = await survey([gone, standby], (endpoint) =>
      pool(endpoint, async () => {
        if (endpoint === gone) return new Promise(() => {})
        asked++
        return [asked < 3 ? STANDBY : PRIMARY]
      }),
    )
    expect(best?.endpoint).to.equal(standby)
    expect(words).to.equal('192.0.2.1:5432 has not answered yet; 192.0.2.2:5432 is the primary')
  })

  it('finds a primary that moves: one has stopped, the other is promoted a moment later', async () => {
    const opened: string[] = []
    let asked = 0
    const { best } = await survey([gone, standby], (endpoint) => {
      opened.push(endpoint.host)
      return pool(endpoint, async () => {
        if (endpoint === gone) throw new Error('connect ECONNREFUSED')
        asked++
        return [asked < 4 ? STANDBY : PRIMARY]
      })
    })
    expect(best?.endpoint).to.equal(standby)
    expect(opened, 'no second login').to.deep.equal([gone.host, standby.host])
  })

  it('gives a host that is slow to log in enough time, and tells one that is silent for longer', async () => {
    const slow = (ms: number) =>
      survey([gone], (endpoint) => ({
        endpoint,
        destroy: () => {},
        session: async (work, limit) => {
          if (limit < ms) throw new Slow(`no answer within ${limit} ms`)
          return work(async () => [PRIMARY])
        },
      }))
    expect((await slow(3_000)).best?.endpoint).to.equal(gone)
    const silent = await slow(60_000)
    expect([silent.best, silent.words]).to.deep.equal([
      undefined,
      '192.0.2.1:5432 failed: no answer within 4000 ms',
    ])
  })

  it('takes the one of two primaries that was promoted later, although the other answers first', async () => {
    const { best } = await survey([gone, standby], (endpoint) =>
      pool(endpoint, async () => {
        if (endpoint === gone) return [{ ...PRIMARY, timeline: '00000001' }]
        await new Promise((done) => setTimeout(done, 20))
        return [PRIMARY]
      }),
    )
    expect(best?.endpoint).to.equal(standby)
  })

  it('gives up when all have said that they take no writes, and has no session left', async () => {
    const open = new Set<Pool>()
    const { best, words } = await survey([gone, standby], (endpoint) => {
      const one = pool(
        endpoint,
        async () => {
          if (endpoint === gone) throw new Error('connect EHOSTUNREACH')
          return [STANDBY]
        },
        () => open.delete(one),
      )
      open.add(one)
      return one
    })
    expect(best).to.equal(undefined)
    expect(words).to.equal('192.0.2.1:5432 failed: connect EHOSTUNREACH; 192.0.2.2:5432 is a standby')
    expect(open.size).to.equal(0)
  })
})

function pool(endpoint: Pool['endpoint'], query: Query, destroy = () => {}): Pool {
  return { endpoint, session: (work) => work(query), destroy }
}
