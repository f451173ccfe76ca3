import { setTimeout as sleep } from 'node:timers/promises'
import { type Endpoint, shown } from '../config.ts'
import { Slow } from './failures.ts'
import type { Pool, Query } from './pool.ts'
import type { RecordedPrimary } from './record.ts'

/** The state that a host reports. */
export interface Standing {
  readonly writable: boolean
  readonly standby: boolean
  /** Increases with each promotion, so that the later of two primaries is known. 0 for a host that accepts no writes. */
  readonly timeline: number
  /** For messages: 'is the primary', 'is a standby'. */
  readonly words: string
}

export interface Survey {
  /** An open pool to the host that accepts writes. */
  readonly best: Pool | undefined
  /** The answer of each host, for messages. */
  readonly words: string
  /** The hosts that gave no answer in time: frozen, or only slow. A host that refuses connections, or has no network, is not one of them. */
  readonly unanswered: readonly Endpoint[]
}

/**
 * Milliseconds for login and answer, enough for a slow host. The wait ends early if another host is writable. The driver
 * gives up a host without a TCP connection much earlier.
 */
const answerLimit = 4000
/** Additional milliseconds for the other hosts once one host is writable: a frozen host must not delay the search. */
const grace = 100
/** Milliseconds after which a host that accepts no writes, or refuses, is queried again. */
const again = 50
/** Milliseconds for which these queries are repeated if all hosts answer: the duration of a switchover. A new search would log in again. */
const moving = 1500

/**
 * Queries all hosts at once and picks the writable one; of two, the one on the later timeline. While the primary changes
 * there is none: hosts are then queried again over the existing sessions, for a short time, or for as long as another host
 * is silent, because a standby may be promoted in place of a dead primary. Never throws.
 *
 * @param record the newest known primary. A primary on an older timeline lacks writes and is not used. The record is
 * written before a promotion: if its host reports that it is a standby, the promotion did not happen and the record is
 * ignored
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
  const unanswered = new Set(hosts)
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
        const answer = await pool.session(standing, answerLimit)
        silent.delete(host)
        unanswered.delete(host)
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
        if (!(error instanceof Slow)) unanswered.delete(host)
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
  return {
    best: best?.pool,
    words: [...said].map(([host, words]) => `${host} ${words}`).join('; '),
    unanswered: [...unanswered],
  }
}

export async function standing(query: Query): Promise<Standing> {
  const [row] = await query(askStanding)
  const readOnly = row?.['read_only'] !== 'off'
  const standby = row?.['standby'] !== false
  const words = standby ? 'is a standby' : readOnly ? 'is set read-only' : 'is the primary'
  const timeline = Number.parseInt(String(row?.['timeline'] ?? '0'), 16)
  return { writable: !standby && !readOnly, standby, timeline, words }
}

// The control file has the old timeline for some seconds after a promotion; the name of the WAL file has the new one.
const askStanding = `
  SELECT pg_is_in_recovery() AS standby,
         current_setting('transaction_read_only') AS read_only,
         CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`

async function failUnless(answer: Promise<boolean>): Promise<void> {
  if (!(await answer)) throw new Error('not writable')
}
