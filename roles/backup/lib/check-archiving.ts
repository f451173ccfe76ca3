import { sh } from 'provision-ts'
import { STANZA } from '../params.ts'

/** Checks that WAL reaches the repository. Tries twice: PostgreSQL pauses archiving for a minute after failures. */
export const CHECK_ARCHIVING = sh`check() { pgbackrest ${`--stanza=${STANZA}`} --log-level-console=error check; }
check 2>/dev/null || check`
