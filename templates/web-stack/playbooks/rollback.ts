import { rollback } from 'provision-ts/stack'

/** Returns to an earlier release that the hosts still have, one host at a time. */
export default rollback()
