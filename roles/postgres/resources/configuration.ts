import { file, type KeyPair, type Step, transaction } from 'provision-ts'
import { applyConfiguration, servesCertificate, validateConfiguration } from '../lib/activation.ts'
import { CERTIFICATE, KEY } from '../lib/files.ts'
import { formatSetting } from '../lib/settings.ts'
import { type Manager, type Paths, PORT, type PostgresParams, REPLICATOR, type Settings } from '../params.ts'
import {
  type HbaConf,
  hbaConf,
  identConf,
  mainConf,
  type Network,
  type SettingsConf,
  settingsConf,
} from '../templates.ts'

/** Readable by the server, writable by root only. */
const FOR_SERVER = { group: 'postgres', mode: '0640' } as const

interface ConfigurationParams
  extends Pick<PostgresParams, 'address' | 'clients' | 'peers' | 'databases' | 'managed' | 'monitor'> {
  readonly paths: Paths
  readonly certificate: KeyPair
  readonly settings: Settings
  readonly manager: Manager
}

/** The configuration of the server: valid and active, or rolled back. */
export function configuration(params: ConfigurationParams): Step {
  const { paths, address, certificate, settings, manager } = params
  const { config } = paths
  return transaction(
    'postgres configuration',
    [
      // Patroni writes its own postgresql.conf, which includes the settings.
      ...(manager === 'patroni'
        ? []
        : [file(`${config}/postgresql.conf`, mainConf({ ...paths, port: PORT }), { backup: true })]),
      file(`${config}/conf.d/90-provision.conf`, settingsConf({ settings: lines(settings) })),
      file(`${config}/pg_hba.conf`, hbaConf(access(params)), { ...FOR_SERVER, backup: true }),
      file(`${config}/pg_ident.conf`, identConf({ databases: access(params).databases }), FOR_SERVER),
      file(CERTIFICATE, certificate.certificate, FOR_SERVER),
      file(KEY, certificate.key, FOR_SERVER),
    ],
    {
      validate: validateConfiguration(paths, manager),
      activate: applyConfiguration(paths, manager),
      probe: servesCertificate(address, manager),
      timeout: '10m',
    },
  )
}

function lines(settings: Settings): SettingsConf['settings'] {
  return Object.entries(settings).map(([name, value]) => ({ name, value: formatSetting(value) }))
}

/** The same on all database hosts, so that a promoted replica accepts the right clients immediately. */
function access({ databases, clients, peers, monitor, managed = false }: ConfigurationParams): HbaConf {
  return {
    databases: databases.map(({ name, owner, user }) => ({ name, owner, user })),
    clients: clients.map(network),
    peers: peers.map(network),
    replicator: REPLICATOR,
    monitor,
    locally: managed,
  }
}

function network({ address }: { readonly address: string }): Network {
  return { network: `${address}/${address.includes(':') ? 128 : 32}` }
}
