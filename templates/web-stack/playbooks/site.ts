import { site } from 'provision-ts/stack'

/** Brings the whole system to the state that the inventory describes. */
export default site()
