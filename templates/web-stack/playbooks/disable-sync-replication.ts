import { disableSyncReplication } from 'provision-ts/stack'

/** Makes the primary acknowledge writes without a replica. */
export default disableSyncReplication()
