import { fileURLToPath } from 'node:url'
import { after, build, firewall, type HostOf, type Play, play, type StackValues } from 'provision-ts'
import { app, ready } from '../roles/app/index.ts'
import { base } from '../roles/base/index.ts'
import { drained } from '../roles/haproxy/drain.ts'
import { alive, haproxy } from '../roles/haproxy/index.ts'
import { keepalived } from '../roles/keepalived/index.ts'
import { healthy, nginx } from '../roles/nginx/index.ts'
import { postgresPackages } from '../roles/postgres/node.ts'
import { postgresPrimary, primaryOf } from '../roles/postgres-primary/index.ts'
import { postgresReplica } from '../roles/postgres-replica/index.ts'
import type { site } from './stack.ts'

/** What playbooks of this system see of an inventory. */
export type Site = StackValues<typeof site.entries>

export type DatabaseHost = HostOf<Site, 'db'>

/** The databases: first what all of them have, then who takes writes, then who follows. */
export function databaseTier(values: Site): readonly Play[] {
  const { app: apps, db } = values
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
  ]
}

/** The application's servers. A host that stops serving answers what it has begun; the web servers ask another meanwhile. */
export function appTier({ app: apps, web, db, passwords, authority }: Site): readonly Play[] {
  return [
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
  ]
}

/** The web servers, each out of the balancers' service while it is changed. */
export function webTier({ domain, lb, web, app: apps }: Site): readonly Play[] {
  return [
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
  ]
}

/** The balancers, one after another. */
export function balancerTier({ domain, certificate, vip, lb, web }: Site): readonly Play[] {
  return [
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
}

/** What the database roles are told alike, so that either can become the other. */
export function database(host: DatabaseHost, { app: apps, db, authority, passwords }: Site) {
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
