import { inventory } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from '../playbooks/schema.ts'

/** All hosts of the lab that `provision lab up` has made; `$LAB` names another than `demo`. */
export default () => {
  const { hosts } = openLab(process.env['LAB'] ?? 'demo')
  return inventory(site, {
    team: 'the web team',
    servers: {
      purpose: 'A host of the lab.',
      hosts: Object.fromEntries(hosts.map(({ name, address, ssh }) => [name, { address, ssh }])),
    },
  })
}
