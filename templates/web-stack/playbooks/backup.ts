import { backup } from 'provision-ts/stack'

/** Takes a backup of the database now, from a replica if there is one. */
export default backup()
