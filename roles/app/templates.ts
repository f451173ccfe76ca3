import { template } from 'provision-ts'
import { formatEndpoint } from '../endpoint.ts'
import type { AppParams } from './params.ts'

export interface ServiceUnit {
  readonly name: string
  /** The values are escaped for a quoted `Environment=`. */
  readonly environment: readonly (readonly [variable: string, value: string])[]
  readonly port: number
}

const serviceUnit = template<ServiceUnit>(import.meta, 'app.service.ejs')

/** Renders the unit of the service, with its environment. The password is not part of it. */
export function renderUnit({ name = 'notes', release, listen, metrics, databases, database }: AppParams): string {
  const environment = {
    NODE_ENV: 'production',
    RELEASE: release.id,
    LISTEN: formatEndpoint(listen),
    ...(metrics && { METRICS: formatEndpoint(metrics) }),
    DATABASE_HOSTS: databases.map(({ address, port = 5432 }) => formatEndpoint({ address, port })).join(','),
    DATABASE_NAME: database.name,
    DATABASE_USER: database.user,
    DATABASE_CA: `/etc/${name}/authority.pem`,
    ...(database.record !== undefined && { DATABASE_RECORD: database.record }),
  }
  const escaped = Object.entries(environment).map(([variable, value]) => [variable, escapeQuoted(value)] as const)
  return serviceUnit({ name, environment: escaped, port: listen.port })
}

/** Escapes a value for double quotes in a unit, where % starts a specifier. */
function escapeQuoted(value: string): string {
  if (/[\n\r\0]/.test(value))
    throw new Error(`${JSON.stringify(value)} has a line break, which a line of a unit cannot have`)
  return value.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')
}
