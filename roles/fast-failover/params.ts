import { type Host, InvalidParams, type KeyPair } from 'provision-ts'

export interface FastFailoverParams {
  /** The name of the host. It has a member of etcd and no database. */
  readonly name: string
  /** The address of its member of etcd. */
  readonly address: string
  /** The certificate that etcd and Patroni accept, for its name and address, by `authority`. */
  readonly certificate: KeyPair
  /** The authority of the certificates of etcd and of the database hosts, as PEM. */
  readonly authority: string
  /** All database hosts. */
  readonly databases: readonly Pick<Host, 'name' | 'address'>[]
}

export const UNIT = 'provision-fast-failover'
export const DIRECTORY = '/usr/local/lib/provision-fast-failover'
export const ETC = '/etc/provision-fast-failover'
export const CONFIG = `${ETC}/config.json`
export const STATUS = `/run/${UNIT}/status.json`

export function refuseHost({ name, databases }: FastFailoverParams): void {
  const refused = (what: string, next: string) => new InvalidParams(what, { where: 'databases', next })
  if (databases.length < 2) throw refused('A failover needs two database hosts.', 'Name all database hosts.')
  if (databases.some((one) => one.name === name))
    throw refused(
      `${name} has a database, and would be lost together with it.`,
      'Use a host that has a member of etcd and no database.',
    )
}
