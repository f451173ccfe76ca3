/**
 * Code that the compiler rejects, with its message: `check` compares each with the types, and compiler.test.ts compares the message
 * after `says`.
 */
import {
  command,
  directory,
  file,
  flag,
  type HostOf,
  handler,
  hosts,
  type InventoryValues,
  integer,
  inventory,
  inventorySchema,
  link,
  optional,
  play,
  playbook,
  port,
  role,
  type Secret,
  secret,
  service,
  sh,
  template,
  text,
  transaction,
} from 'provision-ts'

const site = inventorySchema({
  domain: text,
  note: optional(text),
  web: hosts({ port, workers: optional(integer({ min: 1 })) }),
  db: hosts({ seed: flag }),
})
const password: Secret = secret.env('PASSWORD')
const reload = handler('reload', sh`systemctl reload nginx`)
const good = {
  domain: 'notes.test',
  web: { port: 80, hosts: { web1: { address: '10.0.0.1' } } },
  db: { seed: true, hosts: { db1: { address: '10.0.0.2' } } },
} as const

// --- steps ---

// @ts-expect-error says: Argument of type '"etc/motd"' is not assignable to parameter of type '`/${string}`'
file('etc/motd', 'text')
// @ts-expect-error says: Argument of type '"./dir"' is not assignable to parameter of type '`/${string}`'
directory('./dir')
// @ts-expect-error says: Type 'string' is not assignable to type
file('/etc/motd', 'text', { notify: 'reload' })
// @ts-expect-error says: 'onwer' does not exist in type 'FileOptions'
file('/etc/motd', 'text', { onwer: 'root' })
// @ts-expect-error says: Property 'target' is missing
link('/etc/link', {})
// @ts-expect-error says: Expected 3 arguments, but got 2
command('index', sh`app index`)
// @ts-expect-error says: is not assignable to parameter of type 'CommandOptions'
command('index', sh`app index`, { creates: '/srv/index', unless: sh`true` })
// @ts-expect-error says: Argument of type 'string' is not assignable to parameter of type 'Shell'
command('index', 'app index', { creates: '/srv/index' })
// @ts-expect-error says: Type '"up"' is not assignable to type
service('nginx', { state: 'up' })
// @ts-expect-error says: Type '"soon"' is not assignable to type
transaction('conf', [file('/etc/a', 'a', { notify: reload })], { timeout: 'soon' })

// --- text for the shell ---

// @ts-expect-error says: Argument of type 'Secret' is not assignable to parameter of type 'Word'
sh`psql ${password}`
// @ts-expect-error says: Argument of type 'undefined' is not assignable to parameter of type 'Word'
sh`echo ${undefined}`
// @ts-expect-error says: Argument of type 'boolean' is not assignable to parameter of type 'Word'
sh`echo ${Boolean(1)}`
// @ts-expect-error says: Object literal may only specify known properties
sh`echo ${{ raw: 'text' }}`

// --- roles ---

const web = role('web', ({ listen }: { readonly listen: number; readonly workers?: number }) => [
  file('/etc/web', String(listen)),
])
web({ listen: 80, workers: undefined })
// @ts-expect-error says: Property 'listen' is missing
web({ workers: 1 })
// @ts-expect-error says: Type 'string' is not assignable to type 'number'
web({ listen: '80' })
// @ts-expect-error says: 'worker' does not exist in type
web({ listen: 80, worker: 1 })

const secretText: Secret = template<{ password: Secret }>(import.meta, 'a.ejs')({ password })
// @ts-expect-error says: Type 'Secret' is not assignable to type 'string'
const plainText: string = template<{ deep: { password: Secret } }>(import.meta, 'a.ejs')({ deep: { password } })

// --- plays ---

playbook(site, (values) => [
  play('web', { hosts: values.web, serial: ['25%', 1] }, (host) => web({ listen: host.port, workers: host.workers })),
  // @ts-expect-error says: Type '"50"' is not assignable to type
  play('web', { hosts: values.web, serial: '50' }, () => []),
  // @ts-expect-error says: Property 'port' does not exist on type
  play('db', { hosts: values.db }, (host) => web({ listen: host.port })),
  // @ts-expect-error says: is not assignable to type 'Steps'
  play('web', { hosts: values.web }, () => web),
  // @ts-expect-error says: Property 'app' does not exist on type
  play('app', { hosts: values.app }, () => []),
])
type Web = HostOf<InventoryValues<typeof site.entries>, 'web'>
const portOf = ({ port: of }: Web): number => of
// @ts-expect-error says: Type 'number | undefined' is not assignable to type 'number'
const workersOf = ({ workers }: Web): number => workers

// --- inventories ---

inventory(site, good)
inventory(site, {
  ...good,
  ssh: { user: 'root' },
  web: { hosts: { web1: { address: '10.0.0.1', port: 80 } } },
})
inventory(site, {
  ...good,
  web: {
    hosts: {
      // @ts-expect-error says: web needs port: give it here or for the whole group
      web1: { address: '10.0.0.1' },
    },
  },
})
inventory(site, {
  ...good,
  // @ts-expect-error says: the inventory schema has no databse
  databse: { hosts: {} },
})
inventory(site, {
  ...good,
  // @ts-expect-error says: web has no prot
  web: { prot: 80, port: 80, hosts: {} },
})
inventory(site, {
  ...good,
  // @ts-expect-error says: web has no wrokers
  web: { port: 80, hosts: { web1: { address: '10.0.0.1', wrokers: 2 } } },
})
inventory(site, {
  ...good,
  // @ts-expect-error says: Type 'string' is not assignable to type 'number'
  web: { port: 80, hosts: { web1: { address: '10.0.0.1', workers: 'two' } } },
})
inventory(site, {
  ...good,
  // @ts-expect-error says: Type 'string' is not assignable to type 'number'
  web: { port: '80', hosts: { web1: { address: '10.0.0.1' } } },
})
inventory(site, {
  ...good,
  // @ts-expect-error says: Property 'address' is missing
  web: { port: 80, hosts: { web1: {} } },
})
// @ts-expect-error says: the inventory needs db
inventory(site, { domain: 'notes.test', web: good.web })

export { plainText, portOf, secretText, workersOf }
