import type { FirewallOptions, HostOf, InventoryValues } from 'provision-ts'
import { ARCHIVING } from '../roles/backup/index.ts'
import type { site } from './stack.ts'

/** What playbooks of this system see of an inventory. */
export type Site = InventoryValues<typeof site.entries>

export type DatabaseHost = HostOf<Site, 'db'>

/** Who reaches a host by ssh. */
export function sshFor(admins: Site['admins']): FirewallOptions {
  return { ssh: admins ?? 'anywhere' }
}

/** The database of the application, whose schema it is, and who reads and writes rows in it. */
export const NOTES = { name: 'notes', owner: 'notes_owner', user: 'notes' } as const

/** What the database roles are told alike, so that either can become the other. */
export function database(host: DatabaseHost, values: Site) {
  const { app: apps, db, backup, authority, passwords, connections } = values
  const { name, address, version, certificate } = host
  return {
    name,
    address,
    version,
    certificate,
    authority,
    clients: apps.hosts,
    peers: db.without(host),
    passwords,
    databases: [{ ...NOTES, password: passwords.app }],
    managed: isAutomatic(values),
    settings: {
      ...(connections !== undefined && { max_connections: connections }),
      ...(backup.hosts.length > 0 && ARCHIVING),
    },
  }
}

/** Whether Patroni replaces a primary that is gone. */
export function isAutomatic({ db }: Pick<Site, 'db'>): boolean {
  return db.hosts.some(({ failover }) => failover === 'automatic')
}
