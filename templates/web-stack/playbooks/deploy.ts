import { deploy } from 'provision-ts/stack'

/** Deploys the local build, one host at a time: the application, then the pages. */
export default deploy()
