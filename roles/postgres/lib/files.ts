/** Where the certificates lie, the same for all versions. */
export const TLS = '/etc/postgresql/tls'

/** The authority that has signed the certificates of the database hosts. */
export const TRUSTED = `${TLS}/authority.crt`

export const CERTIFICATE = `${TLS}/server.crt`

export const KEY = `${TLS}/server.key`

/** A replica's password for its primary. */
export const PASSFILE = '/etc/postgresql/replication.pgpass'
