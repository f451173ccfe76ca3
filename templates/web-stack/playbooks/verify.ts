import { verify } from 'provision-ts/stack'

/** Checks the whole system from outside. */
export default verify()
