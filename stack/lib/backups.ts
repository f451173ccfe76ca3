import { type HostOf, Problem } from 'provision-ts'
import type { Site } from '../schema.ts'

/** The host that stores the backups. @throws Problem if the site has none */
export function backupHost({ backup }: Site): HostOf<Site, 'backup'> {
  const [host] = backup.hosts
  if (host) return host
  throw new Problem('The inventory has no backup host, so there are no backups', {
    where: 'backup',
    next: 'Add the group: backup: { passphrase: …, hosts: { backup1: { address: …, certificate: … } } }.',
  })
}
