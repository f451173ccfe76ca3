import { play, playbook } from 'provision-ts'
import { welcome } from '../roles/welcome/index.ts'
import { site } from './schema.ts'

/** Which hosts get which roles. */
export default playbook(site, ({ team, servers }) => [
  play('servers', { hosts: servers }, ({ purpose }) => [welcome({ team, purpose })]),
])
