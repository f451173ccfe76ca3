import { directory, play, playbook } from 'provision-ts'
import { job } from './stack.ts'

/** As each host is anyway. */
export default playbook(job, ({ machines }) => [play('look', { hosts: machines }, () => [directory('/')])])
