import { randomBytes } from 'node:crypto'
import { promoted } from '../../operations/automatic-accidents.ts'
import { sql } from '../../operations/database-load.ts'
import type { Load } from '../load.ts'
import type { Figures } from '../row.ts'
import type { Site } from '../site.ts'
import { accident, asynchronously, type Databases, withPrimary, written } from './accident.ts'

/** The primary is cut off with a client on its side. Each acknowledgement of the isolated server must be true afterwards. */
export async function isolated(site: Site, { asynchronous = false } = {}): Promise<Figures> {
  const prefix = `isolated-${randomBytes(4).toString('hex')}`
  const acknowledged: string[] = []
  let asked = 0
  let cut = 0
  /** The time at which the isolated server stopped accepting writes, in milliseconds since 1970. */
  let ended: number | undefined
  const act = async ({ primary, replica }: Databases, load: Load) => {
    await site.lab.cut(primary)
    cut = Date.now()
    let over = false
    const replacement = promoted(site.lab, replica).finally(() => {
      over = true
    })
    const insert = async () => {
      const key = `${prefix}-${asked++}`
      const { code } = await sql(site.lab, primary, insertion(key), { database: 'notes', within: 2 })
      if (code === 0) acknowledged.push(key)
      // While it waits for the replica, the limit of the client ends it.
      else if (code !== 124) ended ??= Date.now()
    }
    while (!over) await insert()
    await replacement
    await insert()
    await written(load)
    await site.lab.uncut(primary)
  }
  const seen = await accident(site, (hosts, load) =>
    asynchronous ? asynchronously(site, () => act(hosts, load)) : act(hosts, load),
  )
  const { primary } = await site.databases()
  const stored = await site.query(
    primary,
    `select idempotency_key from notes.note where idempotency_key like '${prefix}-%'`,
  )
  await site.query(
    primary,
    `set synchronous_commit = local; delete from notes.note where idempotency_key like '${prefix}-%'`,
  )
  const there = new Set(stored.split('\n'))
  const lost = acknowledged.filter((key) => !there.has(key)).length
  const { besides, ...figures } = await withPrimary(site, seen, 'moved')
  return {
    ...figures,
    lost: seen.lost + lost,
    acknowledged: seen.acknowledged + acknowledged.length,
    besides: {
      good: besides?.good !== false,
      words: [
        besides?.words,
        `the isolated host acknowledged ${acknowledged.length} writes`,
        ended && `ended as a primary after ${((ended - cut) / 1000).toFixed(0)} s`,
      ]
        .filter((part) => part)
        .join(', '),
    },
  }
}

const insertion = (key: string) => `insert into notes.note (text, host, idempotency_key) values ('x', 'x', '${key}')`
