import { reboot } from 'provision-ts/stack'

/** Reboots every host, tier by tier and one at a time. */
export default reboot()
