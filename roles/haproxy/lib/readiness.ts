import { type Host, http, type Probe } from 'provision-ts'
import { LOCAL } from '../params.ts'

/** True if haproxy answers on this host. */
export const haproxyLiveness = (_host?: Host): Probe => http(`${LOCAL}/alive`)

/** True if haproxy has a server to send requests to. */
export const haproxyReadiness = (_host?: Host): Probe => http(`${LOCAL}/serving`)
