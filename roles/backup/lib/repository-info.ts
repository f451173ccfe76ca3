import { ask, type Question, read, type Shell, sh, Unknown } from 'provision-ts'
import { STANZA } from '../params.ts'

/** The content of the repository. */
export interface RepositoryInfo {
  /** The system identifier of the cluster; undefined for an empty repository. */
  readonly system: string | undefined
  /** The error of pgBackRest; undefined if there is none. */
  readonly problem: string | undefined
  /** The oldest first. */
  readonly backups: readonly Backup[]
  /** The host's clock at the time of the answer, in seconds since 1970. */
  readonly asked: number
}

export interface Backup {
  /** `20261122-183000F`, with a second part for a backup that depends on it. */
  readonly label: string
  readonly type: 'full' | 'diff' | 'incr'
  /** Seconds since 1970. */
  readonly start: number
  readonly stop: number
  /** Bytes of the database, and bytes that this backup added to the repository. */
  readonly size: number
  readonly added: number
  /** True if pages with wrong checksums were found. */
  readonly damaged: boolean
  /** The run of provision that took it; undefined for a backup of a timer. */
  readonly run: string | undefined
}

/** The output is parsed by {@link parseRepositoryInfo}. */
export const REPOSITORY_INFO: Shell = sh`command -v pgbackrest >/dev/null || exit 0
date +%s; HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups pgbackrest --stanza=${STANZA} --output=json info 2>&1`

/** The content of the repository, asked on its host. */
export const repositoryInfo: Question<RepositoryInfo> = ask(
  'the content of its repository',
  read(REPOSITORY_INFO, ({ stdout }) => parseRepositoryInfo(stdout)),
)

/** @throws Unknown if pgBackRest is installed and prints nothing */
export function parseRepositoryInfo(said: string): RepositoryInfo {
  const [clock = '', ...rest] = said.split('\n')
  const text = rest.join('\n').trim()
  const nothing = { system: undefined, problem: undefined, backups: [], asked: Number(clock) }
  if (clock === '') return nothing
  if (text === '') throw new Unknown('pgbackrest gave no answer')
  if (!text.startsWith('[')) return { ...nothing, problem: text.split('\n')[0] }
  // A system identifier is too large for an exact number.
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

/** The key of the annotation with the run. */
export const ANNOTATION = 'provision'

const [OK, MISSING, NO_BACKUP] = [0, 1, 2]

/** See pgBackRest's manual. */
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
