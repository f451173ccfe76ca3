import { decommission } from 'provision-ts/stack'

/** Removes a web or app host from the site: other hosts stop using it, then its service is stopped and disabled. */
export default decommission()
