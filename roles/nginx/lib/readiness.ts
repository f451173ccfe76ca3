import { http, type Probe } from 'provision-ts'
import { type Endpoint, formatEndpoint } from '../../endpoint.ts'

/** True if nginx answers, whatever the state of the application behind it. */
export function nginxReadiness({ address, port }: Endpoint): Probe {
  return http(`http://${formatEndpoint({ address, port })}/healthz`)
}
