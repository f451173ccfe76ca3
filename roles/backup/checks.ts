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

/** Seconds: a day, and what a backup may take. */
const AGE = 26 * 3600

/** There is a good and recent backup, the primary's writes since then get to it, and the next one will be taken. */
export function backupChecks(host: Host, db: Group): Checks {
  return [
    runs(host, 'pgbackrest'),
    expect('a good backup is no older than 26 hours', askHost(host, repository), bad, {
      next: `See what the last one said: journalctl -u 'pgbackrest-backup@*' on ${host.name}.`,
    }),
    expect('what the primary writes gets to the backups', askEach(db, archiverState), stuck, {
      next: 'See the log of PostgreSQL on it: what pgbackrest says stands there.',
    }),
    ...db.hosts.map((one) => runs(one, 'pgbackrest')),
    check(
      host,
      'backups are taken by the clock, and the last one went well',
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
[ "$units" = 4 ] || { echo 'systemd does not tell of the timers'; exit 75; }`,
    ),
  ]
}

// The status says whether pgBackRest could read its repository: its output tells that, too.
const repository = output('what its repository holds', sh`( ${REPOSITORY_INFO} ) || exit 0`)

function bad(answer: Output | Problem | undefined): string | Problem | undefined {
  return answer instanceof Problem ? answer : backupProblem(answer && parseRepositoryInfo(answer.said))
}

/** @returns what is wrong with what the repository holds; undefined when all is well */
export function backupProblem(held: RepositoryInfo | undefined): string | undefined {
  if (held?.problem !== undefined) return held.problem
  const newest = held?.backups.at(-1)
  if (!held || !newest) return 'there is none'
  if (newest.damaged) return `${newest.label} has pages whose checksums are wrong`
  const age = held.asked - newest.stop
  return age > AGE ? `the newest, ${newest.label}, is ${Math.floor(age / 3600)} hours old` : undefined
}

function stuck(all: readonly HostAnswer<ArchiverState | Problem>[]): string | Unknown | undefined {
  const failing: string[] = []
  const silent: string[] = []
  for (const { host, answer } of all) {
    if (!answer || answer instanceof Problem) silent.push(host.name)
    else if (answer.failing) failing.push(host.name)
  }
  if (failing.length > 0) return `${failing.join(', ')} cannot send it`
  return silent.length > 0 ? new Unknown(`no answer from ${silent.join(', ')}`) : undefined
}
