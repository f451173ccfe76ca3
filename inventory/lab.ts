import { inventory, secret } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { authority } from 'provision-ts/pki'
import { siteSchema } from 'provision-ts/stack'
import { notes } from './notes.ts'

/**
 * The lab that `provision lab up` has made: nine hosts on this machine. `$LAB` names another than `demo`. With `witness1` the failover of the
 * database is automatic; a host `backup1` keeps backups of it.
 */
export default async () => {
  const lab = openLab(process.env['LAB'] ?? 'demo')
  const ca = await authority(`${lab.directory}/pki`, { name: 'Notes lab' })
  const at = (name: string) => {
    const { address, ssh } = lab.host(name)
    return { address, ssh }
  }
  const has = (wanted: string) => lab.hosts.some(({ name }) => name === wanted)
  const certified = async (name: string) => {
    const { address, ssh } = lab.host(name)
    return { address, ssh, certificate: await ca.keyPair({ names: [name], addresses: [address] }) }
  }
  const mode: { readonly failover?: 'automatic' } = has('witness1') ? { failover: 'automatic' } : {}
  return inventory(siteSchema, {
    domain: 'notes.test',
    application: notes,
    vip: `${lab.vip}/24`,
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    // They live for minutes, and each package would be installed on all of them.
    updates: false,
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: at('web1'), web2: at('web2') } },
    app: { port: 3000, hosts: { app1: at('app1'), app2: at('app2') } },
    db: {
      ...mode,
      seed: false,
      hosts: { db1: { ...(await certified('db1')), seed: true }, db2: await certified('db2') },
    },
    ...(has('witness1') && { witness: { hosts: { witness1: await certified('witness1') } } }),
    ...(has('backup1') && {
      backup: { passphrase: secret.of(lab.secret('backup')), hosts: { backup1: await certified('backup1') } },
    }),
  })
}
