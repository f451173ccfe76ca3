import { fileURLToPath } from 'node:url'
import { after, build, firewall, type HostOf, play, playbook, type StackValues } from 'provision-ts'
import { app, ready } from '../roles/app/index.ts'
import { base } from '../roles/base/index.ts'
import { drained } from '../roles/haproxy/drain.ts'
import { alive, haproxy } from '../roles/haproxy/index.ts'
import { keepalived } from '../roles/keepalived/index.ts'
import { healthy, nginx } from '../roles/nginx/index.ts'
import { postgresPackages } from '../roles/postgres/node.ts'
import { postgresPrimary, primaryOf } from '../roles/postgres-primary/index.ts'
import { postgresReplica } from '../roles/postgres-replica/index.ts'
import { site } from './stack.ts'

type Site = StackValues<typeof site.entries>
type DatabaseHost = HostOf<Site, 'db'>

/** The whole system, from the inside out: a tier is there before the one that asks it. */
export default playbook(site, (values) => {
  const { domain, vip, certificate, authority, passwords, lb, web, app: apps, db } = values
  return [
    play('database: packages', { hosts: db }, ({ version }) => [base({}), postgresPackages({ version })]),
    play('database: access', { hosts: db }, (host) => [
      firewall([{ port: 5432, from: [...apps.hosts, ...db.without(host)] }]),
    ]),
    play('database: primary', { hosts: db }, (host) =>
      after(
        primaryOf(db),
        (primary) =>
          host === primary && postgresPrimary({ ...database(host, values), replicas: db.without(host) }),
      ),
    ),
    play('database: replicas', { hosts: db }, (host) =>
      after(
        primaryOf(db),
        (primary) => host !== primary && postgresReplica({ ...database(host, values), primary }),
      ),
    ),
    play('app', { hosts: apps, serial: [1, '50%'], healthy: ready }, (host) => [
      base({}),
      firewall([{ port: host.port, from: web.hosts }]),
      app({
        release: built('app'),
        listen: host,
        databases: db.hosts,
        database: { name: 'notes', user: 'notes', password: passwords.app, authority },
      }),
    ]),
    play('web', { hosts: web, serial: [1, '50%'], around: drained(lb, 'web'), healthy }, (host) => [
      base({}),
      firewall([{ port: host.port, from: lb.hosts }]),
      nginx({
        domain,
        listen: host,
        workers: host.workers,
        upstreams: apps.hosts,
        balancers: lb.hosts,
        site: built('public'),
      }),
    ]),
    play('balancers', { hosts: lb, serial: 1, healthy: alive }, (host) => [
      base({}),
      firewall([
        { port: [80, 443], from: 'anywhere' },
        { protocol: 'vrrp', from: lb.without(host) },
      ]),
      haproxy({ domain, certificate, servers: web.hosts, vip }),
      keepalived({ ...host, vip, peers: lb.without(host) }),
    ]),
  ]
})

/** What the database roles are told alike, so that either can become the other. */
function database(host: DatabaseHost, { app: apps, db, authority, passwords }: Site) {
  const { name, address, version, certificate } = host
  return {
    name,
    address,
    version,
    certificate,
    authority,
    clients: apps.hosts,
    peers: db.without(host),
    passwords,
    databases: [{ name: 'notes', owner: 'notes', password: passwords.app }],
  }
}

/** A part of the sample application as its build has left it. */
function built(part: 'app' | 'public') {
  const directory = fileURLToPath(new URL(`../examples/notes-api/dist/${part}`, import.meta.url))
  return build(directory, 'Build the application first: node scripts/example.js')
}
