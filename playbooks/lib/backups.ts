import { type HostOf, Problem } from 'provision-ts'
import type { Site } from '../schema.ts'

/** The host that keeps the backups. @throws Problem when the site has none */
export function backupHost({ backup }: Site): HostOf<Site, 'backup'> {
  const [host] = backup.hosts
  if (host) return host
  throw new Problem('The inventory has no host for backups, so there are none', {
    where: 'backup',
    next: 'Give it a group: backup: { passphrase: …, hosts: { backup1: { address: …, certificate: … } } }.',
  })
}
