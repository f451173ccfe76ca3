import type { Host } from 'provision-ts'
import { ARCHIVING } from '../../roles/backup/index.ts'
import { MONITOR } from '../../roles/monitoring/index.ts'
import type { Database } from '../../roles/postgres/params.ts'
import { databaseName } from '../application.ts'
import type { DatabaseHost, Site } from '../schema.ts'

/** The database of the application, the owner of its schema, and the user that reads and writes rows; undefined without a database. */
export function applicationDatabase({
  application,
  passwords,
}: Pick<Site, 'application' | 'passwords'>): Database | undefined {
  const name = databaseName(application)
  if (application.database === undefined || passwords.app === undefined) return undefined
  return {
    name,
    owner: application.database === 'schema' ? name : `${name}_owner`,
    user: name,
    password: passwords.app,
  }
}

/** The parameters that both database roles share, so that either can become the other. */
export function databaseParams(host: DatabaseHost, values: Site) {
  const { app: apps, db, backup, monitoring, authority, passwords, connections, bootGrace } = values
  const { name, address, version, certificate } = host
  const database = applicationDatabase(values)
  return {
    name,
    address,
    version,
    certificate,
    authority,
    clients: apps.hosts,
    peers: db.without(host),
    ...(bootGrace !== undefined && { bootGrace }),
    ...(monitoring.hosts.length > 0 && { monitor: MONITOR }),
    passwords,
    databases: database ? [database] : [],
    managed: isAutomatic(values),
    leavesPatroni: returnsToManual(values),
    settings: {
      ...(connections !== undefined && { max_connections: connections }),
      ...(backup.hosts.length > 0 && ARCHIVING),
    },
  }
}

/** True if Patroni replaces a lost primary. */
export function isAutomatic({ db }: Pick<Site, 'db'>): boolean {
  return db.hosts.some(({ failover }) => failover === 'automatic')
}

/** True if the witness shortens an automatic failover. */
export function isFast({ db }: Pick<Site, 'db'>): boolean {
  return db.hosts.some(({ fastFailover }) => fastFailover)
}

/** True if the inventory says `failover: 'manual'`: servers that Patroni manages are managed by systemd again. */
export function returnsToManual({ db }: Pick<Site, 'db'>): boolean {
  return db.hosts.some(({ failover }) => failover === 'manual')
}

/** The hosts with a vote: all database hosts, and the witness. */
export function votersOf({ db, witness }: Pick<Site, 'db' | 'witness'>): readonly Host[] {
  return [...db.hosts, ...witness.hosts]
}
