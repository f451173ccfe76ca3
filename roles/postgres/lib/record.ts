import { ask, type Command, type Question, read, sh } from 'provision-ts'

/** Readable for all users: the application reads it too. */
export const RECORD_DIRECTORY = '/var/lib/provision-database'
export const RECORD = `${RECORD_DIRECTORY}/primary.json`

/**
 * The record of the primary: its host, its timeline and the time since. Database hosts, application hosts and balancers have a copy. So an
 * old primary that starts again is detected even if the new one does not answer.
 */
export interface PrimaryRecord {
  readonly format: 1
  /** Increases with each change. The copy with the higher number is newer. */
  readonly generation: number
  readonly event: RecordEvent
  /** Time of the event, ISO 8601. */
  readonly at: string
  /** PostgreSQL's system identifier: the same for a primary and all copies of it. */
  readonly system: string
  readonly timeline: number
  readonly primary: string
  readonly address: string
  /** Time from which this host has been the primary on this timeline. */
  readonly since: string
  /** Commits wait for one of these replicas. Empty: for none. */
  readonly waitsFor: readonly string[]
  /** Time from which commits have waited for no replica. */
  readonly noReplicaSince?: string
  /** Writes that may be lost by this event. */
  readonly lost?: string
  /** Old primaries that have not rejoined. They lack later writes. */
  readonly behind: readonly Behind[]
  /** Hosts with a copy. More than half of them must answer before the newest copy is known. */
  readonly hosts: readonly string[]
  readonly log: readonly LogEntry[]
  /** The record before a failover or a switchover. It is valid if the promotion did not happen. */
  readonly previous?: Omit<PrimaryRecord, 'previous' | 'log'>
}

export type RecordEvent =
  | 'found'
  | 'failover'
  | 'switchover'
  | 'rejoin'
  | 'restore'
  | 'replication on'
  | 'replication off'
  | 'hosts changed'

export interface Behind {
  readonly host: string
  readonly since: string
}

export interface LogEntry {
  readonly at: string
  readonly event: RecordEvent
  readonly primary: string
  readonly timeline: number
}

/** The answer of one host that can be reached. */
export type Copy =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly why: string }
  | { readonly kind: 'record'; readonly record: PrimaryRecord }

export const primaryRecord: Question<Copy> = ask(
  'its record of the primary',
  read(
    // The shell reads the file without another process.
    sh`[ ! -e ${RECORD} ] || { while IFS= read -r line || [ "$line" ]; do printf '%s\n' "$line"; done <${RECORD}; } 2>/dev/null || echo unreadable`,
    ({ stdout }) => parseRecord(stdout),
    {
      shared: true,
      dependsOn: [RECORD],
      fakeValue: () => ({ kind: 'none' }),
    },
  ),
)

export function parseRecord(text: string): Copy {
  if (text.trim() === '') return { kind: 'none' }
  try {
    const given: unknown = JSON.parse(text)
    return isRecord(given) ? { kind: 'record', record: given } : { kind: 'unreadable', why: 'fields are missing' }
  } catch (error) {
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) }
  }
}

/** One top-level field per line, so that a shell script can read it. */
export function recordText(record: PrimaryRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Writes the copy of one host. A newer copy is never replaced. */
export function writeRecord(record: PrimaryRecord): Command {
  const text = recordText(record)
  return {
    inline: true,
    script: sh`
(
  umask 022
  mkdir -p ${RECORD_DIRECTORY} || exit 1
  have=$(sed -n 's/^  "generation": \([0-9]*\),$/\1/p' ${RECORD} 2>/dev/null | head -n 1)
  if [ "\${have:-0}" -ge ${record.generation} ]; then
    printf %s ${text} | cmp -s - ${RECORD} && exit 0
    echo 'This host has a newer record of the primary. Run the same command again.' >&2
    exit 1
  fi
  printf %s ${text} > ${`${RECORD}.new`} && sync ${`${RECORD}.new`} && mv -f ${`${RECORD}.new`} ${RECORD} && sync ${RECORD_DIRECTORY}
)`,
  }
}

function isRecord(given: unknown): given is PrimaryRecord {
  if (typeof given !== 'object' || given === null) return false
  const fields: Readonly<Record<string, unknown>> = { ...given }
  const texts = ['event', 'at', 'system', 'primary', 'address', 'since']
  const numbers = ['generation', 'timeline']
  const lists = ['waitsFor', 'behind', 'hosts', 'log']
  return (
    fields['format'] === 1 &&
    texts.every((name) => typeof fields[name] === 'string') &&
    numbers.every((name) => Number.isInteger(fields[name])) &&
    lists.every((name) => Array.isArray(fields[name]))
  )
}
