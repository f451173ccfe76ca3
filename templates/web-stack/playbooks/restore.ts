import { restore } from 'provision-ts/stack'

/** Restores the database from its backups to a point in time: the primary first, then new copies on the replicas. */
export default restore()
