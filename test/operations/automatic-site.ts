import type { Lab } from '../../src/lab/index.ts'
import { provision, ROOT } from '../integration/support.ts'

/**
 * The databases of a site with automatic failover, a witness and an application. `$FAILOVER` is `automatic` by default, `$DATABASES` is
 * `db1,db2`, and `$WITNESS` is `witness1`; without one if it is empty.
 */
export const AUTOMATIC_HOSTS = ['db1', 'db2', 'witness1', 'app1']

export const AUTOMATIC_FILES = {
  'inventory.ts': `
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { notes } from '${ROOT}/inventory/notes.ts'
import { siteSchema as site } from 'provision-ts/stack'
export default async () => {
  const lab = openLab(process.env.LAB)
  const ca = await authority(lab.directory + '/pki', { name: 'test' })
  const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
  const pair = async (name: string) =>
    ({ ...at(name), certificate: await ca.keyPair({ names: [name], addresses: [at(name).address] }) })
  const connections = process.env.CONNECTIONS
  const databases = (process.env.DATABASES ?? 'db1,db2').split(',')
  const witness = process.env.WITNESS ?? 'witness1'
  const strict = process.env.SYNCHRONOUS === 'strict'
  return inventory(site, {
    domain: 'notes.test',
    application: notes,
    vip: lab.vip + '/24',
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    updates: false,
    ...(connections && { connections: Number(connections) }),
    ...(strict && { synchronous: 'strict' }),
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { address: '198.18.0.11', priority: 250 }, lb2: { address: '198.18.0.12', priority: 240 } } },
    web: { port: 8080, hosts: { web1: { address: '198.18.0.21' } } },
    app: { port: 3000, hosts: { app1: at('app1') } },
    db: {
      failover: process.env.FAILOVER === 'manual' ? 'manual' : 'automatic',
      fastFailover: process.env.FAST === 'yes',
      hosts: Object.fromEntries(await Promise.all(databases.map(async (name) => [name, { ...await pair(name), seed: name === 'db1' }]))),
    },
    ...(witness && { witness: { hosts: { [witness]: await pair(witness) } } }),
  })
}
`,
  'playbook.ts': `
import { playbook } from 'provision-ts'
import { skipMaintenance } from '${ROOT}/stack/lib/maintenance.ts'
import { siteSchema as site } from 'provision-ts/stack'
import { appTier, databaseTier } from 'provision-ts/stack'
const noHosts = { hosts: [] }
export default playbook(site, (values) => [
  skipMaintenance({ ...values, lb: { ...values.lb, ...noHosts }, web: { ...values.web, ...noHosts } }),
  ...databaseTier(values),
  ...appTier(values, { outage: true }),
])
`,
  'verify.ts': `
import { verification } from 'provision-ts'
import { automaticFailoverChecks } from '${ROOT}/stack/lib/checks.ts'
import { siteSchema as site } from 'provision-ts/stack'
import { postgresChecks } from '${ROOT}/roles/postgres/checks.ts'
import { postgresPrimaryChecks } from '${ROOT}/roles/postgres-primary/checks.ts'
import { postgresReplicaChecks } from '${ROOT}/roles/postgres-replica/checks.ts'
export default verification(site, (values) => [
  postgresChecks(values.db, { unit: 'patroni' }),
  postgresPrimaryChecks(values.db),
  postgresReplicaChecks(values.db),
  automaticFailoverChecks(values),
])
`,
} as const

export interface Roles {
  readonly leader: string | undefined
  /** The replica that has each acknowledged write. */
  readonly candidate: string | undefined
}

/**
 * The roles of the hosts. A majority of etcd says which host leads: a database host that was isolated reports former roles for a moment. That
 * host then says which replica can take over.
 */
export async function rolesIn(lab: Lab): Promise<Roles> {
  const none = { leader: undefined, candidate: undefined }
  const leader = await leaderInEtcd(lab)
  if (leader === undefined) return none
  const { stdout } = await said(lab, leader, 'PATRONI_TIMEOUT=4 timeout 8 provision-patroni GET /cluster 2>/dev/null')
  const [line = ''] = stdout.split('\n')
  if (!line.startsWith('{')) return none
  const { members }: { readonly members: readonly Member[] } = JSON.parse(line)
  return {
    leader: members.find(({ name, role, state }) => name === leader && role === 'leader' && state === 'running')?.name,
    candidate: members.find(({ role, state }) => role === 'sync_standby' && state === 'streaming')?.name,
  }
}

async function leaderInEtcd(lab: Lab): Promise<string | undefined> {
  for (const name of ['witness1', 'db1', 'db2']) {
    const { code, stdout } = await said(
      lab,
      name,
      'timeout 8 provision-etcdctl get --print-value-only /provision/main/leader 2>/dev/null',
    )
    if (code === 0) return stdout.trim() || undefined
  }
  return undefined
}

/** The output of a command; nothing for a host that is off. */
async function said(
  lab: Lab,
  host: string,
  command: string,
): Promise<{ readonly code: number; readonly stdout: string }> {
  return lab.exec(host, command).catch(() => ({ code: 1, stdout: '' }))
}

interface Member {
  readonly name: string
  readonly role: string
  readonly state: string
}

export function other(name: string | undefined): 'db1' | 'db2' {
  return name === 'db1' ? 'db2' : 'db1'
}

/** Runs an operation of the project, or a playbook at a path. */
export function operateOn(
  lab: Lab,
  directory: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  return provision([...words, '--inventory', `${directory}/inventory.ts`, '--no-type-check'], {
    LAB: lab.name,
    ...env,
  })
}
