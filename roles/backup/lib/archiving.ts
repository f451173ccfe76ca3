import type { Settings } from '../../postgres/params.ts'
import { type BackupHost, STANZA } from '../params.ts'

export const ARCHIVE_SCRIPT = '/usr/local/libexec/pgbackrest-archive'

/**
 * A stopping server tries three times to archive its last WAL. With a repository that is down this took 90 s, and a switchover would have
 * waited. So the script pings the repository first, and does not ping again for some seconds.
 */
export function archiveScript({ name }: BackupHost, queueMax: number): string {
  return `#!/bin/sh
# Written by provision. pgbackrest-archive FILE
push() { exec pgbackrest --stanza=${STANZA} archive-push "$1"; }
# With more files than this pgBackRest drops WAL, so it must be called.
[ "$(ls pg_wal/archive_status | grep -c 'ready$')" -lt ${queueMax * FILES_IN_GIB} ] || push "$1"
away=/run/postgresql/pgbackrest-away
[ -z "$(find "$away" -newermt '-3 seconds' 2>/dev/null)" ] || exit 1
timeout 2 pgbackrest server-ping --log-level-console=error ${name} || {
  : > "$away"
  echo 'The backup host does not answer; WAL is kept here.' >&2
  exit 1
}
push "$1"
`
}

const FILES_IN_GIB = 64

/**
 * PostgreSQL settings of all database hosts with backups. The primary archives its WAL at least once a minute.
 *
 * There is no restore_command: a promotion would use the repository several times, and would wait for one that is down.
 */
export const ARCHIVING: Settings = {
  archive_mode: true,
  archive_command: `${ARCHIVE_SCRIPT} %p`,
  archive_timeout: '60s',
}
