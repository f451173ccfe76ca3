import { maintenance } from 'provision-ts/stack'

/** Takes a host out of service for work by hand. */
export default maintenance()
