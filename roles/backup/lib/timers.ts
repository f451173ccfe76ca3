import { STANZA } from '../params.ts'

export const BACKUP_SCRIPT = '/usr/local/libexec/pgbackrest-backup'

/**
 * Takes a backup, then verifies the repository. The backup comes from a replica, so that the primary has no load; from the primary while
 * no replica answers.
 *
 * @param replicas true if the site has replicas
 */
export function backupScript(replicas: boolean): string {
  return `#!/bin/sh
# Written by provision. pgbackrest-backup full|diff|incr
type=$1; shift
run() { pgbackrest --stanza=${STANZA} --type="$type" "$@" backup; }
${replicas ? FROM_REPLICA : 'run "$@" || exit'}
# The exit status does not show what it finds.
found=$(pgbackrest --stanza=${STANZA} --log-level-console=error --output=text verify) || exit
case $found in *'status: error'*) printf '%s\\n' "$found" >&2; exit 1 ;; esac
`
}

/** pgBackRest exits with 56 if no host has such a cluster. */
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

/** A run that was missed while the host was off starts after the boot. */
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
