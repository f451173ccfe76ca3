import { inventory } from 'provision-ts'
import { site } from '../playbooks/schema.ts'

/** This machine itself, without ssh. A host of your own looks like this: `web1: { address: '10.0.1.1' }`. */
export default inventory(site, {
  team: 'the web team',
  servers: {
    purpose: 'A place to try things.',
    hosts: { here: { address: '127.0.0.1', ssh: { transport: 'local' } } },
  },
})
