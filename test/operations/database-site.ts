import { type Ended, type OwnLab, provision, ROOT } from '../integration/support.ts'

/** Databases and an application on hosts of a lab, as files for `ownLab`. The hosts of the tiers above do not exist. */
export function databaseFiles(databases: readonly string[]): Readonly<Record<string, string>> {
  const [seed] = databases
  const members = databases.map((name) => `${name}: await database('${name}', ${name === seed})`).join(', ')
  return { 'inventory.ts': inventory(members), 'playbook.ts': PLAYBOOK, 'verify.ts': VERIFY }
}

/** Runs an operation of the project on these hosts, or a playbook at a path. */
export function operate({ lab, desk }: OwnLab, playbook: string, ...more: readonly string[]): Promise<Ended> {
  const inventory = `${desk.directory}/inventory.ts`
  return provision([playbook, '--inventory', inventory, '--no-type-check', ...more], { LAB: lab.name })
}

function inventory(members: string): string {
  return `
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { notes } from '${ROOT}/inventory/notes.ts'
import { siteSchema as site } from 'provision-ts/stack'
export default async () => {
  const lab = openLab(process.env.LAB)
  const ca = await authority(lab.directory + '/pki', { name: 'test' })
  const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
  const database = async (name: string, seed: boolean) =>
    ({ ...at(name), seed, certificate: await ca.keyPair({ names: [name], addresses: [at(name).address] }) })
  // Hosts that there are not: a connection is refused.
  const nowhere = (address: string) => ({ address, ssh: { host: '127.0.0.1', port: 1 } })
  return inventory(site, {
    domain: 'notes.test',
    application: notes,
    vip: lab.vip + '/24',
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    updates: false,
    synchronous: process.env.SYNCHRONOUS !== 'no',
    ...(process.env.BOOT_GRACE && { bootGrace: Number(process.env.BOOT_GRACE) }),
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { ...nowhere('198.18.0.11'), priority: 250 }, lb2: { ...nowhere('198.18.0.12'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: nowhere('198.18.0.21') } },
    app: { port: 3000, hosts: { app1: at('app1') } },
    db: { hosts: { ${members} } },
  })
}
`
}

const PLAYBOOK = `
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
`

const VERIFY = `
import { verification } from 'provision-ts'
import { siteSchema as site } from 'provision-ts/stack'
import { postgresChecks } from '${ROOT}/roles/postgres/checks.ts'
import { postgresPrimaryChecks } from '${ROOT}/roles/postgres-primary/checks.ts'
import { postgresReplicaChecks } from '${ROOT}/roles/postgres-replica/checks.ts'
import { recordChecks } from '${ROOT}/roles/postgres/lib/record-checks.ts'
export default verification(site, ({ db, app }) => [
  postgresChecks(db),
  postgresPrimaryChecks(db),
  postgresReplicaChecks(db),
  recordChecks({ db, recorders: { hosts: [...db.hosts, ...app.hosts] }, synchronous: true }),
])
`
