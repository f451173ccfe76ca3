import {
  askEach,
  askHost,
  type Checks,
  check,
  expect,
  type Group,
  type Host,
  type HostAnswer,
  type Output,
  output,
  Problem,
  sh,
  Unknown,
} from 'provision-ts'
import { runs } from '../base/checks.ts'
import { parseRepositoryInfo, REPOSITORY_INFO, type RepositoryInfo } from './lib/repository-info.ts'
import { type ArchiverState, archiverState } from './resources/wal-archiving.ts'

/** In seconds: a day, and the duration of a backup. */
const AGE = 26 * 3600

/** There is a recent backup, WAL archiving works, and the next backup is scheduled. */
export function backupChecks(host: Host, db: Group): Checks {
  return [
    runs(host, 'pgbackrest'),
    expect('the newest backup is good and at most 26 hours old', askHost(host, repository), newestBackup, {
      next: `See journalctl -u 'pgbackrest-backup@*' on ${host.name}.`,
    }),
    expect('WAL archiving works', askEach(db, archiverState), archivingProblem, {
      next: 'See the log of PostgreSQL on the host, which has the messages of pgbackrest.',
    }),
    ...db.hosts.map((one) => runs(one, 'pgbackrest')),
    check(
      host,
      'backup timers are active, and the last backup succeeded',
      sh`
full=pgbackrest-backup@full diff=pgbackrest-backup@diff
said=$(systemctl show -p Id -p ActiveState "$full.timer" "$diff.timer" "$full.service" "$diff.service") ||
  { echo 'systemd does not answer'; exit 75; }
units=0
while IFS== read -r key value; do
  case $key=$value in
    Id=*) units=$((units + 1)) id=$value ;;
    ActiveState=*)
      case $id=$value in
        *.timer=active | *.service=active | *.service=activating | *.service=inactive | *.service=deactivating) ;;
        *) echo "$id is $value"; bad=1 ;;
      esac ;;
  esac
done <<END
$said
END
[ -z "$bad" ] || exit 1
[ "$units" = 4 ] || { echo 'systemd does not report the timers'; exit 75; }`,
    ),
  ]
}

// The exit status is ignored: the output also shows if pgBackRest could read its repository.
const repository = output('the content of its repository', sh`( ${REPOSITORY_INFO} ) || exit 0`)

function newestBackup(answer: Output | Problem | undefined): string | Problem | undefined {
  return answer instanceof Problem ? answer : backupProblem(answer && parseRepositoryInfo(answer.said))
}

/** Returns the problem of the repository; undefined if there is none. */
export function backupProblem(held: RepositoryInfo | undefined): string | undefined {
  if (held?.problem !== undefined) return held.problem
  const newest = held?.backups.at(-1)
  if (!held || !newest) return 'there is no backup'
  if (newest.damaged) return `${newest.label} has pages with wrong checksums`
  const age = held.asked - newest.stop
  return age > AGE ? `the newest backup, ${newest.label}, is ${Math.floor(age / 3600)} hours old` : undefined
}

function archivingProblem(all: readonly HostAnswer<ArchiverState | Problem>[]): string | Unknown | undefined {
  const failing: string[] = []
  const silent: string[] = []
  for (const { host, answer } of all) {
    if (!answer || answer instanceof Problem) silent.push(host.name)
    else if (answer.failing) failing.push(host.name)
  }
  if (failing.length > 0) return `${failing.join(', ')} cannot archive WAL`
  return silent.length > 0 ? new Unknown(`no answer from ${silent.join(', ')}`) : undefined
}
