import { file, type RoleContext, role, type Steps, template } from 'provision-ts'
import { PORT as POSTGRES, type PostgresParams, pathsOf, type Settings } from '../postgres/params.ts'
import { type BackupHost, type BackupHostParams, STANZA } from './params.ts'
import { CERTIFICATE, KEY, server, TRUSTED } from './resources/server.ts'

export interface BackupSourceParams extends BackupHostParams, Pick<PostgresParams, 'version'> {
  /** The host that keeps the backups. */
  readonly repository: BackupHost
  /**
   * GiB of WAL that may wait on a database host for a repository that does not answer. Beyond that it is thrown away, so that the
   * disk does not fill up and the database lives on; the backups are then of use again from the next one on. @default 8
   */
  readonly queueMax?: number
}

export interface SourceConf {
  readonly address: string
  readonly repository: BackupHost
  readonly data: string
  readonly port: number
  readonly tls: Tls
  readonly queueMax: number
}

/** What both ends name alike. */
export interface Tls {
  readonly stanza: string
  readonly trusted: string
  readonly certificate: string
  readonly key: string
}

export const TLS: Tls = { stanza: STANZA, trusted: TRUSTED, certificate: CERTIFICATE, key: KEY }

const ARCHIVE_SCRIPT = '/usr/local/libexec/pgbackrest-archive'

/**
 * A server that stops sends its last WAL three times before it gives up. With a repository that is off that took a minute and a half,
 * in which a switchover would have waited: so the repository is asked first whether it is there, and not again for some seconds.
 */
function archiveScript({ name }: BackupHost, queueMax: number): string {
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

const sourceConf = template<SourceConf>(import.meta, 'source.conf.ejs')

/** A database host that is backed up: it sends its WAL, and lets the repository's host read its data. */
export const backupSource = role(
  'backup-source',
  (params: BackupSourceParams, { facts }: RoleContext): Steps => {
    const { address, repository, queueMax = 8 } = params
    const { data } = pathsOf(params, facts)
    return [
      server({
        ...params,
        others: [repository],
        config: sourceConf({ address, repository, data, port: POSTGRES, tls: TLS, queueMax }),
      }),
      file(ARCHIVE_SCRIPT, archiveScript(repository, queueMax), { mode: '0755' }),
    ]
  },
)

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
