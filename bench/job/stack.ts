import { hosts, stack } from 'provision-ts'

export const job = stack({ machines: hosts() })
