import { restoreTest } from 'provision-ts/stack'

/** Restores the newest backup into a separate directory on the backup host, and compares it with a replica. */
export default restoreTest()
