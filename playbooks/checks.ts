import { type Check, type Checks, check, type Host, sh } from 'provision-ts'
import { appChecks } from '../roles/app/checks.ts'
import { backupChecks } from '../roles/backup/index.ts'
import { baseChecks, clocksAgree, isKeptFrom, reaches, runs } from '../roles/base/checks.ts'
import { haproxyChecks, inService, siteChecks, trusting } from '../roles/haproxy/checks.ts'
import { keepalivedChecks } from '../roles/keepalived/checks.ts'
import { nginxChecks } from '../roles/nginx/checks.ts'
import { postgresChecks } from '../roles/postgres/checks.ts'
import type { Site } from './tiers.ts'

/** The way in: who holds the address, and what a client gets there. The web servers stand in for clients: they are none of the balancers. */
export function balancerTierChecks({ lb, vip, web, ...values }: Site): Checks {
  return [
    keepalivedChecks(lb, vip),
    lb.hosts.map((host) => haproxyChecks(host, { ...values, servers: web.hosts })),
    web.hosts.map((host) => siteChecks(host, { ...values, vip })),
    web.hosts.map((host) => keepsNotes(host, { ...values, vip })),
  ]
}

export function webTierChecks({ lb, web, app }: Site): Checks {
  return [
    web.hosts.map((host) => nginxChecks(host, app.hosts)),
    web.hosts.map((host) => [runs(host, 'haproxy'), inService(host, 'app', app.hosts)]),
    lb.hosts.map((host) => reaches(host, web.hosts)),
    app.hosts.map((host) => isKeptFrom(host, web.hosts)),
  ]
}

export function appTierChecks({ lb, app }: Site): Checks {
  return [app.hosts.map((host) => appChecks(host)), lb.hosts.map((host) => isKeptFrom(host, app.hosts))]
}

export function databaseTierChecks({ lb, web, app, db }: Site): Checks {
  const doors = db.hosts.map(({ name, address }) => ({ name, address, port: 5432 }))
  return [
    postgresChecks(db),
    app.hosts.map((host) => reaches(host, doors)),
    [...lb.hosts, ...web.hosts].map((host) => isKeptFrom(host, doors)),
  ]
}

export function backupTierChecks({ backup, db }: Site): Checks {
  return backup.hosts.map((host) => backupChecks(host, db))
}

export function hostChecks({ lb, web, app, db, backup }: Site): Checks {
  const all = [lb, web, app, db, backup].flatMap(({ hosts }): readonly Host[] => hosts)
  return [all.map((host) => baseChecks(host)), clocksAgree(all)]
}

/** A note is written, read back, and taken away again. */
function keepsNotes(
  host: Host,
  { domain, vip, authority }: Pick<Site, 'domain' | 'vip' | 'authority'>,
): Check {
  const api = `https://${domain}/api/notes`
  return check(
    host,
    'writes a note through the address, and reads it back',
    sh`${trusting(authority)}
api=${api}
ask() { curl -fsS --max-time 5 --cacert "$trusted" --resolve ${`${domain}:443:${vip.replace(/\/.*/, '')}`} "$@"; }
text="verified by $(uname -n) at $(date +%s%N)"
note=$(ask -H 'content-type: application/json' -d "{\"text\":\"$text\"}" "$api") || exit 1
id=$(printf '%s' "$note" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
[ "$id" ] || { echo "it said $note"; exit 1; }
said=$(ask "$api/$id") || said=nothing
ask -X DELETE "$api/$id" || exit 1
case $said in *"$text"*) ;; *) echo "note $id, just written, reads: $said"; exit 1 ;; esac`,
  )
}
