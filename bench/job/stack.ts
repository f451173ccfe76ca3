import { hosts, inventorySchema } from 'provision-ts'

export const job = inventorySchema({ machines: hosts() })
