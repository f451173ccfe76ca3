import { ask, type Question, read, type Shell, sh, Unknown } from 'provision-ts'
import { STANZA } from '../params.ts'

/** What the repository holds of the cluster. */
export interface RepositoryInfo {
  /** Undefined when the repository was never told of a cluster. */
  readonly system: string | undefined
  /** What pgBackRest says is wrong; undefined when all is well. */
  readonly problem: string | undefined
  /** The oldest first. */
  readonly backups: readonly Backup[]
  /** The host's own clock when it was asked, in seconds since 1970. */
  readonly asked: number
}

export interface Backup {
  /** `20261122-183000F`, and a second part for one that builds on it. */
  readonly label: string
  readonly type: 'full' | 'diff' | 'incr'
  /** Seconds since 1970. */
  readonly start: number
  readonly stop: number
  /** Bytes of the database, and of the files that this backup has added to the repository. */
  readonly size: number
  readonly added: number
  /** Whether pages were found whose checksums are wrong. */
  readonly damaged: boolean
  /** The run of provision that asked for it; undefined for one of a timer. */
  readonly run: string | undefined
}

/** Its output is for {@link parseRepositoryInfo}. */
export const REPOSITORY_INFO: Shell = sh`command -v pgbackrest >/dev/null || exit 0
date +%s; HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups pgbackrest --stanza=${STANZA} --output=json info 2>&1`

/** To the repository's host: what it holds. */
export const repositoryInfo: Question<RepositoryInfo> = ask(
  'what its repository holds',
  read(REPOSITORY_INFO, ({ stdout }) => parseRepositoryInfo(stdout)),
)

/** @throws Unknown when pgBackRest is there and said nothing */
export function parseRepositoryInfo(said: string): RepositoryInfo {
  const [clock = '', ...rest] = said.split('\n')
  const text = rest.join('\n').trim()
  const nothing = { system: undefined, problem: undefined, backups: [], asked: Number(clock) }
  if (clock === '') return nothing
  if (text === '') throw new Unknown('pgbackrest gave no answer')
  if (!text.startsWith('[')) return { ...nothing, problem: text.split('\n')[0] }
  // The number of a system is larger than JavaScript's are exact.
  const [stanza] = JSON.parse(text.replace(/("system-id":)(\d+)/g, '$1"$2"')) as readonly StanzaInfo[]
  const { code = MISSING, message = '' } = stanza?.status ?? {}
  return {
    ...nothing,
    system: stanza?.db?.at(-1)?.['system-id'],
    problem: [OK, MISSING, NO_BACKUP].includes(code) ? undefined : message,
    backups: (stanza?.backup ?? []).map(({ label, type, timestamp, info, error, annotation }) => ({
      label,
      type,
      start: timestamp.start,
      stop: timestamp.stop,
      size: info.size,
      added: info.repository.delta,
      damaged: error === true,
      run: annotation?.[ANNOTATION],
    })),
  }
}

/** What a backup is marked with. */
export const ANNOTATION = 'provision'

const [OK, MISSING, NO_BACKUP] = [0, 1, 2]

/** As pgBackRest's manual describes it. */
interface StanzaInfo {
  readonly status?: { readonly code: number; readonly message: string }
  readonly db?: readonly { readonly 'system-id': string }[]
  readonly backup?: readonly {
    readonly label: string
    readonly type: Backup['type']
    readonly timestamp: { readonly start: number; readonly stop: number }
    readonly info: { readonly size: number; readonly repository: { readonly delta: number } }
    readonly error?: boolean
    readonly annotation?: Readonly<Record<string, string>>
  }[]
}
