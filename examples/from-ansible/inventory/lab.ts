import { readFileSync } from 'node:fs'
import { inventory, secret } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { authority } from 'provision-ts/pki'
import { servers } from '../playbooks/schema.ts'

/** All hosts of the lab that `provision lab up` has made; `$LAB` names another than `demo`. */
export default async () => {
  const lab = openLab(process.env['LAB'] ?? 'demo')
  const ca = await authority(`${lab.directory}/pki`, { name: 'Lab' })
  return inventory(servers, {
    domain: 'shop.test',
    certificate: await ca.keyPair({ names: ['shop.test'] }),
    anaKeys: readFileSync(process.env['ANA_KEYS'] ?? `${lab.directory}/ana.pub`, 'utf8').trim(),
    shopPassword: secret.of(lab.secret('shop')),
    servers: { hosts: Object.fromEntries(lab.hosts.map(({ name, address, ssh }) => [name, { address, ssh }])) },
  })
}
