import { type KeyPair, sh } from 'provision-ts'

/** What pgBackRest calls the cluster, on all hosts. */
export const STANZA = 'main'

/** That WAL gets to the repository. Twice: PostgreSQL may have given up for a minute right before. */
export const CHECK_ARCHIVING = sh`check() { pgbackrest ${`--stanza=${STANZA}`} --log-level-console=error check; }
check 2>/dev/null || check`

/** Where pgBackRest answers, on the database hosts and on that of the repository. */
export const PORT = 8432

/** Where the repository lies on its host, unless told otherwise. */
export const REPOSITORY = '/var/lib/pgbackrest'

/** A host that takes part: what its certificate names it, and where it is. */
export interface BackupHost {
  readonly name: string
  readonly address: string
}

/** What each of them is told. */
export interface BackupHostParams extends BackupHost {
  /** For its name and address, by `authority`. It shows it as a server and as a client. */
  readonly certificate: KeyPair
  /** Who signed the certificates of all of them, as PEM. */
  readonly authority: string
}
