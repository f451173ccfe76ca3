import { failover } from 'provision-ts/stack'

/** Promotes a replica if the primary is lost, and reports which writes may be lost. */
export default failover()
