import { switchover } from 'provision-ts/stack'

/** Moves the primary of the database to another host without loss of writes. */
export default switchover()
