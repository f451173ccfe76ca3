import { inventory, secret } from 'provision-ts'
import { pemFile, pemPair } from 'provision-ts/pki'
import { siteSchema } from 'provision-ts/stack'
import { application } from './application.ts'

/** An example to change: your own hosts, certificates from files, secrets from a password store. */
export default () => {
  const pair = (name: string) => pemPair(`certificates/${name}`)
  return inventory(siteSchema, {
    ssh: { user: 'deploy' },
    domain: 'www.example.com',
    application,
    vip: '203.0.113.10/24',
    // The networks with SSH access and metrics.
    admins: ['10.0.9.0/24'],
    certificate: pair('www.example.com'),
    authority: pemFile('certificates/authority.pem'),
    passwords: { replication: secret.command('pass', 'show', 'site/replication') },
    lb: {
      hosts: {
        lb1: { address: '203.0.113.11', priority: 250 },
        lb2: { address: '203.0.113.12', priority: 240 },
      },
    },
    web: { port: 8080, hosts: { web1: { address: '10.0.1.1' }, web2: { address: '10.0.1.2' } } },
    app: { port: 3000, hosts: { app1: { address: '10.0.2.1' }, app2: { address: '10.0.2.2' } } },
    db: {
      seed: false,
      hosts: {
        db1: { address: '10.0.3.1', seed: true, certificate: pair('db1') },
        db2: { address: '10.0.3.2', certificate: pair('db2') },
      },
    },
  })
}
