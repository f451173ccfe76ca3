import type { Settings } from '../../postgres/params.ts'
import { type BackupHost, STANZA } from '../params.ts'

export const ARCHIVE_SCRIPT = '/usr/local/libexec/pgbackrest-archive'

/**
 * A server that stops sends its last WAL three times before it gives up. With a repository that is off that took a minute and a half,
 * in which a switchover would have waited: so the repository is asked first whether it is there, and not again for some seconds.
 */
export function archiveScript({ name }: BackupHost, queueMax: number): string {
  return `#!/bin/sh
# Made by provision. pgbackrest-archive FILE
push() { exec pgbackrest --stanza=${STANZA} archive-push "$1"; }
# Beyond this many files pgBackRest throws them away, whether anybody answers or not.
[ "$(ls pg_wal/archive_status | grep -c 'ready$')" -lt ${queueMax * FILES_IN_GIB} ] || push "$1"
away=/run/postgresql/pgbackrest-away
[ -z "$(find "$away" -newermt '-3 seconds' 2>/dev/null)" ] || exit 1
timeout 2 pgbackrest server-ping --log-level-console=error ${name} || {
  : > "$away"
  echo 'The host of the backups does not answer; WAL waits here.' >&2
  exit 1
}
push "$1"
`
}

const FILES_IN_GIB = 64

/**
 * Settings of PostgreSQL on all database hosts that are backed up: whoever is primary sends its WAL, at least once a minute.
 *
 * There is no restore_command here: a promotion would ask the repository several times before it ends, and wait for one that is off.
 */
export const ARCHIVING: Settings = {
  archive_mode: true,
  archive_command: `${ARCHIVE_SCRIPT} %p`,
  archive_timeout: '60s',
}
