import { STANZA } from '../params.ts'

export const BACKUP_SCRIPT = '/usr/local/libexec/pgbackrest-backup'

/**
 * Takes a backup and reads all of the repository again: from a replica, so that the primary has nothing of it; from the primary while no replica answers.
 *
 * @param replicas whether there are any
 */
export function backupScript(replicas: boolean): string {
  return `#!/bin/sh
# Made by provision. pgbackrest-backup full|diff|incr
type=$1; shift
run() { pgbackrest --stanza=${STANZA} --type="$type" "$@" backup; }
${replicas ? FROM_REPLICA : 'run "$@" || exit'}
# Its status says nothing of what it finds.
found=$(pgbackrest --stanza=${STANZA} --log-level-console=error --output=text verify) || exit
case $found in *'status: error'*) printf '%s\\n' "$found" >&2; exit 1 ;; esac
`
}

/** 56 is pgBackRest's status for: there is no such cluster among the hosts. */
const FROM_REPLICA = `run --backup-standby "$@"; status=$?
case $status in
  0) ;;
  56) echo 'No replica answers: the backup is taken from the primary.' >&2; run "$@" || exit ;;
  *) exit $status ;;
esac`

export const UNIT = `[Unit]
Description=Backup (%i) of the PostgreSQL cluster ${STANZA}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User=postgres
Group=postgres
ExecStart=${BACKUP_SCRIPT} %i
Nice=10
IOSchedulingClass=idle
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
PrivateDevices=yes
`

/** One that was missed while the host was off is made up for. */
export function timer(type: 'full' | 'diff', calendar: string): string {
  return `[Unit]
Description=Backup (${type}) of the PostgreSQL cluster ${STANZA}

[Timer]
OnCalendar=${calendar}
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
`
}
