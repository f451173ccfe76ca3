import { play, playbook } from 'provision-ts'
import { job } from './stack.ts'
import { work } from './work.ts'

/** The job of the benchmark: 60 resources per host. */
export default playbook(job, ({ machines }) => [play('job', { hosts: machines }, () => work({ peers: PEERS }))])

export const PEERS = ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5']
