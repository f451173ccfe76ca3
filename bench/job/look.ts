import { directory, play, playbook } from 'provision-ts'
import { job } from './stack.ts'

/** A state that every host has. */
export default playbook(job, ({ machines }) => [play('look', { hosts: machines }, () => [directory('/')])])
