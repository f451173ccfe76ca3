import { rejoin } from 'provision-ts/stack'

/** Makes an old primary of the database a replica again. */
export default rejoin()
