/** The directory of the certificates, the same for all versions. */
export const TLS = '/etc/postgresql/tls'

/** The CA of the certificates of database hosts. */
export const TRUSTED = `${TLS}/authority.crt`

export const CERTIFICATE = `${TLS}/server.crt`

export const KEY = `${TLS}/server.key`

/** The password file of replicas. */
export const PASSFILE = '/etc/postgresql/replication.pgpass'
