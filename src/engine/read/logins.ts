import { ask, type Question } from '../../model/resource/question.ts'
import { type Read, read } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'

/** A login on a host, interactive or by a program. */
export interface Login {
  /** By the clock of the host, in milliseconds since 1970. */
  readonly time: number
  readonly user: string
  /** The address; undefined for a login at the console. */
  readonly from?: string
  /** `publickey ED25519 SHA256:…`, `password`; undefined if it is not known. */
  readonly method?: string
}

/** The logins of a host since a time. */
export interface Logins {
  readonly logins: readonly Login[]
  /** The clock of the host, in milliseconds since 1970. */
  readonly now: number
  /** Records are complete from this time on, in milliseconds since 1970; undefined if the host has no records. */
  readonly completeFrom: number | undefined
  /** The source of the records. */
  readonly source: 'journal' | 'wtmp' | undefined
}

/**
 * The logins of the last seconds: from the journal of sshd and logind, else from wtmp.
 *
 * @param ago seconds
 */
export function loginsSince(ago: number): Question<Logins> {
  return ask(`the logins of the last ${ago} s`, loginsRead(ago))
}

/** The number of records of each source that are read. */
const MOST = 2_000

function loginsRead(ago: number): Read<Logins> {
  const seconds = Math.max(0, Math.ceil(ago))
  return read(
    sh`since=$(($(date +%s) - ${seconds}))
printf 'since:%s\n' "$since"
if command -v journalctl >/dev/null 2>&1; then
  journalctl -q --no-pager -o short-unix 2>/dev/null | { IFS= read -r line || line=; printf 'journal:%s\n' "\${line%% *}"; }
  # Failed logins may be many.
  journalctl -q --no-pager "--since=@$since" -o short-unix -t sshd -t sshd-session -t systemd-logind 2>/dev/null |
    grep -E ': (Accepted|New session) ' | tail -n ${MOST} | sed 's/^/entry:/'
fi
if command -v last >/dev/null 2>&1; then
  TZ=UTC last -w -n ${MOST} --time-format iso -s "$(TZ=UTC date -d "@$since" '+%Y-%m-%d %H:%M:%S')" 2>/dev/null | sed 's/^/last:/'
fi
printf 'now:%s\n' "$(date +%s.%N)"`,
    ({ stdout }) => parseLogins(stdout),
  )
}

/** Parses the output of the script. */
export function parseLogins(stdout: string): Logins {
  const lines = stdout.split('\n')
  const all = (mark: string) => lines.flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length)] : []))
  // busybox has no nanoseconds.
  const now = Math.round(Number.parseFloat(all('now:')[0] ?? '') * 1_000)
  if (!Number.isFinite(now)) throw new TypeError('the host did not return its time')
  const since = Number(all('since:')[0] ?? now / 1_000) * 1_000
  const journal = journalLogins(Number.parseFloat(all('journal:')[0] ?? '') * 1_000, all('entry:'))
  const wtmp = wtmpLogins(all('last:'))
  const isComplete = journal.completeFrom !== undefined && journal.completeFrom <= since
  const goesFurther = wtmp.completeFrom !== undefined && wtmp.completeFrom < (journal.completeFrom ?? Infinity)
  return { now, ...(!isComplete && goesFurther ? wtmp : journal) }
}

/** @param first the time of the first entry of the journal; NaN without a journal */
function journalLogins(first: number, entries: readonly string[]): Omit<Logins, 'now'> {
  if (!Number.isFinite(first)) return { logins: [], completeFrom: undefined, source: undefined }
  const logins = withoutDoubles(entries.flatMap(journalLogin))
  return { logins, completeFrom: entries.length < MOST ? first : logins[0]?.time, source: 'journal' }
}

function wtmpLogins(lines: readonly string[]): Omit<Logins, 'now'> {
  const begins = lines.flatMap((line) => /^wtmp begins (\S+)/.exec(line)?.[1] ?? [])[0]
  if (begins === undefined) return { logins: [], completeFrom: undefined, source: undefined }
  const logins = lines.flatMap(wtmpLogin).sort((a, b) => a.time - b.time)
  return { logins, completeFrom: lines.length < MOST ? Date.parse(begins) : logins[0]?.time, source: 'wtmp' }
}

interface JournalLogin extends Login {
  readonly by: 'sshd' | 'logind'
}

/** `1764518553.123456 web1 sshd[812]: Accepted publickey for ana from 10.0.0.9 port 5022 ssh2: ED25519 SHA256:…` */
function journalLogin(line: string): readonly JournalLogin[] {
  const [, stamp = '', text = ''] = /^(\d+\.\d+) \S+ [^:]+: (.*)$/.exec(line) ?? []
  const time = Math.round(Number.parseFloat(stamp) * 1_000)
  const ssh = /^Accepted (\S+) for (\S+) from (\S+) port \d+ ssh2(?:: (.*))?$/.exec(text)
  if (ssh) {
    const [, how = '', user = '', from = '', key] = ssh
    return [{ by: 'sshd', time, user, from, method: key === undefined ? how : `${how} ${key}` }]
  }
  const [, user] = /^New session '?\S+?'? of user '?([^ '.]+(?:\.[^ '.]+)*)'?/.exec(text) ?? []
  return user === undefined ? [] : [{ by: 'logind', time, user }]
}

/** logind reports the sessions of SSH, too: some seconds later, after slow PAM modules. */
function withoutDoubles(logins: readonly JournalLogin[]): readonly Login[] {
  const isDouble = ({ by, user, time }: JournalLogin) =>
    by === 'logind' &&
    logins.some((one) => one.by === 'sshd' && one.user === user && Math.abs(one.time - time) < 30_000)
  return logins.filter((one) => !isDouble(one)).map(({ by: _by, ...login }) => login)
}

/** `ana      pts/0        10.0.0.9         2026-11-30T16:02:33+00:00 - …` */
function wtmpLogin(line: string): readonly Login[] {
  const [, user = '', terminal = '', from = '', stamp = ''] =
    /^(\S+) +(\S+) +(\S*) +(\d{4}-\d\d-\d\dT\S+)/.exec(line) ?? []
  if (stamp === '' || user === 'reboot' || terminal === '~') return []
  return [{ time: Date.parse(stamp), user, ...(from !== '' && { from }) }]
}
