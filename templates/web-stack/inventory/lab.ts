import { inventory, secret } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { authority } from 'provision-ts/pki'
import { siteSchema } from 'provision-ts/stack'
import { application } from './application.ts'

/** The lab that `provision lab up` has made; `$LAB` names another than `demo`. With `witness1` the failover of the database is automatic. */
export default async () => {
  const lab = openLab(process.env['LAB'] ?? 'demo')
  const ca = await authority(`${lab.directory}/pki`, { name: 'Lab' })
  const hostsOf = (tier: string) => lab.hosts.filter(({ name }) => name.startsWith(tier))
  const at = (tier: string) =>
    Object.fromEntries(hostsOf(tier).map(({ name, address, ssh }) => [name, { address, ssh }]))
  const certified = async (tier: string) => {
    const all = hostsOf(tier).map(async ({ name, address, ssh }) => {
      const certificate = await ca.keyPair({ names: [name], addresses: [address] })
      return [name, { address, ssh, certificate }] as const
    })
    return Promise.all(all)
  }
  const automatic = hostsOf('witness').length > 0
  // A new cluster begins on the first one.
  const databases = (await certified('db')).map(([name, host], i) => [name, { ...host, seed: i === 0 }] as const)
  return inventory(siteSchema, {
    domain: 'site.test',
    application,
    vip: `${lab.vip}/24`,
    certificate: await ca.keyPair({ names: ['site.test'] }),
    authority: ca.certificate,
    updates: false,
    passwords: { replication: secret.of(lab.secret('replication')) },
    lb: {
      hosts: Object.fromEntries(
        hostsOf('lb').map(({ name, address, ssh }, i) => [name, { address, ssh, priority: 250 - 10 * i }]),
      ),
    },
    web: { port: 8080, hosts: at('web') },
    app: { port: 3000, hosts: at('app') },
    db: { failover: automatic ? 'automatic' : 'manual', hosts: Object.fromEntries(databases) },
    ...(automatic && { witness: { hosts: Object.fromEntries(await certified('witness')) } }),
  })
}
