import { inventory, secret } from 'provision-ts'
import { pemFile, pemPair } from 'provision-ts/pki'
import { siteSchema } from 'provision-ts/stack'

/** An example to copy: hosts behind a bastion, certificates from elsewhere, secrets from a password store. */
export default () => {
  const pair = (name: string) => pemPair(`certificates/${name}`)
  return inventory(siteSchema, {
    ssh: { user: 'deploy', proxyJump: { host: 'bastion.example.net', user: 'jump' } },
    domain: 'notes.example.com',
    application: {
      name: 'notes',
      // Or of a URL: await archive('https://…/notes-1.4.0.tar.gz', { sha256: '…' }), of provision-ts/stack.
      build: { directory: 'examples/notes-api/dist', app: 'app', static: 'public' },
      start: ['node', 'server.mjs'],
      health: { live: '/livez', ready: '/readyz' },
      database: 'rows',
      migrations: { sql: 'migrations' },
      paths: ['/api/'],
      metrics: true,
      checks: ['/api/notes'],
    },
    vip: '203.0.113.10/24',
    // The networks with SSH access and metrics. They must include the address of the bastion.
    admins: ['10.0.9.0/24'],
    // Or of Let's Encrypt, see docs/operations.md: await acme('certificates', { names: ['notes.example.com'], … }),
    certificate: pair('notes.example.com'),
    authority: pemFile('certificates/authority.pem'),
    passwords: {
      app: secret.env('NOTES_APP_PASSWORD'),
      replication: secret.command('pass', 'show', 'notes/replication'),
    },
    lb: {
      interface: 'eth0',
      hosts: {
        lb1: { address: '203.0.113.11', priority: 250 },
        lb2: { address: '203.0.113.12', priority: 240, interface: 'bond0' },
      },
    },
    web: {
      port: 8080,
      workers: 4,
      hosts: {
        web1: { address: '10.0.1.1' },
        web2: { address: '10.0.1.2' },
        web3: { address: '10.0.1.3', workers: 8 },
      },
    },
    app: { port: 3000, hosts: { app1: { address: '10.0.2.1' }, app2: { address: '10.0.2.2' } } },
    db: {
      version: 17,
      seed: false,
      hosts: {
        db1: { address: '10.0.3.1', seed: true, certificate: pair('db1') },
        db2: { address: '10.0.3.2', certificate: pair('db2') },
      },
    },
    backup: {
      passphrase: secret.command('pass', 'show', 'notes/backup'),
      hosts: { backup1: { address: '10.0.4.1', certificate: pair('backup1') } },
    },
  })
}
