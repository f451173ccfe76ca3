import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, shown } from '../config.ts'
import type { Pool, Query } from './pool.ts'
import type { RecordedPrimary } from './record.ts'

/** What a host says of itself. */
export interface Standing {
  readonly writable: boolean
  readonly standby: boolean
  /** Grows with each promotion, so that of two primaries the later one is known. 0 for a host that takes no writes. */
  readonly timeline: number
  /** For people: 'is the primary', 'is a standby'. */
  readonly words: string
}

export interface Survey {
  /** An open pool to the host that writes go to. */
  readonly best: Pool | undefined
  /** What each host said, for people. */
  readonly words: string
}

/**
 * Milliseconds a host has for login and answer, which a slow host needs. A host that is found writable meanwhile ends the wait. The
 * driver gives up a host without a TCP connection much earlier.
 */
const patience = 4000
/** Milliseconds more for the others once one host is found writable: a frozen host must not hold the search up. */
const grace = 100
/** Milliseconds after which a host that takes no writes, or refuses, is asked again. */
const again = 50
/** Milliseconds for which that goes on when no host is silent: as long as a switchover takes. */
const moving = 400

/**
 * Asks every host at once and picks the writable one, of two that of the later timeline. While the primary moves there is none: hosts are
 * asked again for a moment, by the sessions that there are, and as long as another is silent, as a standby may be promoted while a dead
 * primary is waited for. Never throws.
 *
 * @param record the newest primary that is known. A primary on an older timeline lacks writes, and is not used. The record is written
 * before a promotion: while the host in it says that it is a standby, the promotion did not happen, and the record is ignored
 */
export async function survey(
  hosts: readonly Endpoint[],
  open: (host: Endpoint) => Pool,
  record?: RecordedPrimary,
): Promise<Survey> {
  let over = false
  const began = performance.now()
  const found: { readonly pool: Pool; readonly standing: Standing }[] = []
  const said = new Map(hosts.map((host) => [shown(host), 'has not answered yet']))
  const silent = new Set(hosts)
  let isPromoted = true
  const isOld = ({ host }: Endpoint, { timeline }: Standing) =>
    record !== undefined &&
    isPromoted &&
    (host === record.address ? timeline < record.timeline : timeline <= record.timeline)
  const goesOn = () => !over && found.length === 0 && (silent.size > 0 || performance.now() - began < moving)
  const ask = async (host: Endpoint): Promise<boolean> => {
    const pool = open(host)
    do {
      try {
        const answer = await pool.session(standing, patience)
        silent.delete(host)
        if (host.host === record?.address && answer.standby) isPromoted = false
        const old = answer.writable && isOld(host, answer)
        said.set(
          shown(host),
          old
            ? `is a primary with old data: timeline ${answer.timeline}, and ${record?.address} is on ${record?.timeline}`
            : answer.words,
        )
        if (answer.writable && !old && !over) {
          found.push({ pool, standing: answer })
          return true
        }
      } catch (error) {
        silent.delete(host)
        said.set(shown(host), `failed: ${error instanceof Error ? error.message : error}`)
      }
      if (goesOn()) await sleep(again)
    } while (goesOn())
    pool.destroy()
    return false
  }

  const answers = hosts.map(ask)
  await Promise.race([
    Promise.all(answers),
    Promise.any(answers.map(failUnless)).then(
      () => (silent.size > 0 ? sleep(grace) : undefined),
      () => {},
    ),
  ])
  over = true

  const [best, ...rest] = found.sort((a, b) => b.standing.timeline - a.standing.timeline)
  for (const { pool } of rest) pool.destroy()
  return { best: best?.pool, words: [...said].map(([host, words]) => `${host} ${words}`).join('; ') }
}

export async function standing(query: Query): Promise<Standing> {
  const [row] = await query(askStanding)
  const readOnly = row?.['read_only'] !== 'off'
  const standby = row?.['standby'] !== false
  const words = standby ? 'is a standby' : readOnly ? 'is set read-only' : 'is the primary'
  const timeline = Number.parseInt(String(row?.['timeline'] ?? '0'), 16)
  return { writable: !standby && !readOnly, standby, timeline, words }
}

// The control file still has the old timeline for some seconds after a promotion; the name of the WAL file has the new one.
const askStanding = `
  SELECT pg_is_in_recovery() AS standby,
         current_setting('transaction_read_only') AS read_only,
         CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`

async function failUnless(answer: Promise<boolean>): Promise<void> {
  if (!(await answer)) throw new Error('not writable')
}
