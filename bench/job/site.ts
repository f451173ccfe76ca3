import { play, playbook } from 'provision-ts'
import { job } from './stack.ts'
import { work } from './work.ts'

/** The job of the benchmark: 60 resources a host. */
export default playbook(job, ({ machines }) => [play('job', { hosts: machines }, () => work())])
