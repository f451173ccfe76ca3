import { update } from 'provision-ts/stack'

/** Updates one tier, host by host; each host is drained meanwhile. */
export default update()
