import { type Answered, type Checks, check, each, expect, type Group, type Host, on, sh } from 'provision-ts'
import { runs } from '../base/checks.ts'
import { type Holdings, holdings } from './info.ts'
import { archiver } from './kinds/archive.ts'

/** Seconds: a day, and what a backup may take. */
const AGE = 26 * 3600

/** That there is a good backup, and a young one; that what was written since gets to it; and that the next one will be taken. */
export function backupChecks(host: Host, db: Group): Checks {
  return [
    runs(host, 'pgbackrest'),
    expect('a good backup is no older than 26 hours', on(host, holdings), stale, {
      next: `See what the last one said: journalctl -u 'pgbackrest-backup@*' on ${host.name}.`,
    }),
    expect('what the primary writes gets to the backups', each(db, archiver), stuck, {
      next: 'See the log of PostgreSQL on it: what pgbackrest says stands there.',
    }),
    ...db.hosts.map((one) => runs(one, 'pgbackrest')),
    check(
      host,
      'backups are taken by the clock, and the last one went well',
      sh`systemctl is-active -q pgbackrest-backup@full.timer pgbackrest-backup@diff.timer || { echo 'A timer does not run.'; exit 1; }
failed=$(systemctl list-units --failed --plain --no-legend 'pgbackrest-backup@*'); [ -z "$failed" ] || { echo "$failed"; exit 1; }`,
    ),
  ]
}

/** @returns what is wrong with what the repository holds; undefined when all is well */
export function stale(held: Holdings | undefined): string | undefined {
  if (held?.trouble !== undefined) return held.trouble
  const newest = held?.backups.at(-1)
  if (!held || !newest) return 'there is none'
  if (newest.damaged) return `${newest.label} has pages whose checksums are wrong`
  const age = held.asked - newest.stop
  return age > AGE ? `the newest, ${newest.label}, is ${Math.floor(age / 3600)} hours old` : undefined
}

function stuck(all: readonly Answered<{ readonly failing: boolean } | undefined>[]): string | undefined {
  const failing = all.filter(({ answer }) => answer?.failing)
  return failing.length === 0
    ? undefined
    : `${failing.map(({ host }) => host.name).join(', ')} cannot send it`
}
