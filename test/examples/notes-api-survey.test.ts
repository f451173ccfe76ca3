import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect } from 'chai'
import { Slow } from '../../examples/notes-api/src/database/failures.ts'
import type { Pool, Query } from '../../examples/notes-api/src/database/pool.ts'
import { readRecord } from '../../examples/notes-api/src/database/record.ts'
import { survey } from '../../examples/notes-api/src/database/survey.ts'
import { recordText } from '../../roles/postgres/lib/record.ts'
import { RECORD } from '../roles/records.ts'

const gone = { host: '192.0.2.1', port: 5432 }
const standby = { host: '192.0.2.2', port: 5432 }

const STANDBY = { standby: true, read_only: 'on', timeline: null }
const PRIMARY = { standby: false, read_only: 'off', timeline: '00000002' }

describe('the search for the primary database host', () => {
  it('finds a promoted standby while the dead primary does not answer', async () => {
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

  it('waits for a host with a slow login, and reports one that does not answer for longer', async () => {
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
    expect([silent.best, silent.words]).to.deep.equal([undefined, '192.0.2.1:5432 failed: no answer within 4000 ms'])
    expect(silent.unanswered).to.deep.equal([gone])
  })

  it('selects the primary that was promoted later, although the other answers first', async () => {
    const { best } = await survey([gone, standby], (endpoint) =>
      pool(endpoint, async () => {
        if (endpoint === gone) return [{ ...PRIMARY, timeline: '00000001' }]
        await new Promise((done) => setTimeout(done, 20))
        return [PRIMARY]
      }),
    )
    expect(best?.endpoint).to.equal(standby)
  })

  describe('with a record of the newest primary', () => {
    const record = { address: gone.host, timeline: 3 }
    const old = { ...PRIMARY, timeline: '00000002' }
    const search = (first: () => Promise<unknown>, timeline: string, known = record) =>
      survey(
        [gone, standby],
        (endpoint) =>
          pool(endpoint, async () => {
            if (endpoint === standby) return [{ ...PRIMARY, timeline }]
            await first()
            return [STANDBY]
          }),
        known,
      )
    const refuses = async () => {
      throw new Error('connect EHOSTUNREACH')
    }

    it('does not use a primary with old data, even while the newest one is off', async () => {
      const { best, words } = await search(refuses, old.timeline)
      expect(best).to.equal(undefined)
      expect(words).to.include('192.0.2.2:5432 is a primary with old data: timeline 2, and 192.0.2.1 is on 3')
      expect((await search(refuses, '00000003')).best, 'the same timeline on another host').to.equal(undefined)
    })

    it('uses a primary that is newer than the record, or the recorded one', async () => {
      expect((await search(refuses, '00000004')).best?.endpoint).to.equal(standby)
      const own = await search(refuses, '00000003', { address: standby.host, timeline: 3 })
      expect(own.best?.endpoint).to.equal(standby)
    })

    it('ignores the record of a promotion that did not happen', async () => {
      expect((await search(async () => {}, old.timeline)).best?.endpoint).to.equal(standby)
    })

    it('is read from a file, which may be missing', async () => {
      const directory = mkdtempSync(`${tmpdir()}/notes-api-record-`)
      const path = `${directory}/primary.json`
      expect(await readRecord(path)).to.equal(undefined)
      writeFileSync(path, recordText(RECORD))
      expect(await readRecord(path)).to.deep.equal({ address: RECORD.address, timeline: RECORD.timeline })
      writeFileSync(path, '{}')
      const failure = await readRecord(path).catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(Error)
      rmSync(directory, { recursive: true })
    })
  })

  it('returns no host if none is a primary, and leaves no session open', async () => {
    const open = new Set<Pool>()
    const { best, words, unanswered } = await survey([gone, standby], (endpoint) => {
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
    expect(unanswered, 'a refusal is an answer').to.deep.equal([])
  })
})

function pool(endpoint: Pool['endpoint'], query: Query, destroy = () => {}): Pool {
  return { endpoint, session: (work) => work(query), destroy }
}
