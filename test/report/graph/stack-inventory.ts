import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { notes } from '../../../inventory/notes.ts'
import { siteSchema } from '../../../stack/schema.ts'

/** The site in docs/stack.svg. Its hosts do not exist. */
export default async () => {
  const directory = mkdtempSync(join(tmpdir(), 'provision-stack-'))
  const ca = await authority(directory, { name: 'Stack' })
  const at = (address: string) => ({ address })
  const signed = async (name: string, address: string) => ({
    address,
    certificate: await ca.keyPair({ names: [name], addresses: [address] }),
  })
  const made = inventory(siteSchema, {
    domain: 'notes.example.com',
    application: notes,
    vip: '192.0.2.10/24',
    certificate: await ca.keyPair({ names: ['notes.example.com'] }),
    authority: ca.certificate,
    passwords: { app: secret.of('app'), replication: secret.of('replication') },
    lb: {
      hosts: {
        lb1: { ...at('192.0.2.11'), priority: 250 },
        lb2: { ...at('192.0.2.12'), priority: 240 },
      },
    },
    web: { port: 8080, hosts: { web1: at('192.0.2.21'), web2: at('192.0.2.22') } },
    app: { port: 3000, hosts: { app1: at('192.0.2.31'), app2: at('192.0.2.32') } },
    db: {
      seed: false,
      hosts: {
        db1: { ...(await signed('db1', '192.0.2.41')), seed: true },
        db2: await signed('db2', '192.0.2.42'),
      },
    },
    backup: {
      passphrase: secret.of('passphrase'),
      hosts: { backup1: await signed('backup1', '192.0.2.51') },
    },
  })
  rmSync(directory, { recursive: true })
  return made
}
