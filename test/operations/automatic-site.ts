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
import { site } from '${ROOT}/playbooks/schema.ts'
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
      hosts: Object.fromEntries(await Promise.all(databases.map(async (name) => [name, { ...await pair(name), seed: name === 'db1' }]))),
    },
    ...(witness && { witness: { hosts: { [witness]: await pair(witness) } } }),
  })
}
`,
  'playbook.ts': `
import { playbook } from 'provision-ts'
import { skipMaintenance } from '${ROOT}/playbooks/lib/maintenance.ts'
import { site } from '${ROOT}/playbooks/schema.ts'
import { appTier, databaseTier } from '${ROOT}/playbooks/site.ts'
const noHosts = { hosts: [] }
export default playbook(site, (values) => [
  skipMaintenance({ ...values, lb: { ...values.lb, ...noHosts }, web: { ...values.web, ...noHosts } }),
  ...databaseTier(values),
  ...appTier(values, { outage: true }),
])
`,
  'verify.ts': `
import { verification } from 'provision-ts'
import { votersOf } from '${ROOT}/playbooks/lib/database-params.ts'
import { site } from '${ROOT}/playbooks/schema.ts'
import { etcdChecks } from '${ROOT}/roles/etcd/checks.ts'
import { patroniChecks } from '${ROOT}/roles/patroni/checks.ts'
import { postgresChecks } from '${ROOT}/roles/postgres/checks.ts'
import { postgresPrimaryChecks } from '${ROOT}/roles/postgres-primary/checks.ts'
import { postgresReplicaChecks } from '${ROOT}/roles/postgres-replica/checks.ts'
export default verification(site, (values) => [
  postgresChecks(values.db, { unit: 'patroni' }),
  postgresPrimaryChecks(values.db),
  postgresReplicaChecks(values.db),
  patroniChecks(values.db),
  etcdChecks({ hosts: votersOf(values) }),
])
`,
} as const

export interface Roles {
  readonly leader: string | undefined
  /** The replica that has each acknowledged write. */
  readonly candidate: string | undefined
}

/** The roles of the hosts, from the first database host that can read etcd. */
export async function rolesIn(lab: Lab): Promise<Roles> {
  for (const name of ['db1', 'db2']) {
    const { stdout } = await lab
      .exec(name, 'PATRONI_TIMEOUT=4 timeout 8 provision-patroni GET /cluster 2>/dev/null')
      // The host is off.
      .catch(() => ({ stdout: '' }))
    const [line = ''] = stdout.split('\n')
    if (!line.startsWith('{')) continue
    const { members }: { readonly members: readonly Member[] } = JSON.parse(line)
    return {
      leader: members.find(({ role, state }) => role === 'leader' && state === 'running')?.name,
      candidate: members.find(({ role, state }) => role === 'sync_standby' && state === 'streaming')?.name,
    }
  }
  return { leader: undefined, candidate: undefined }
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
