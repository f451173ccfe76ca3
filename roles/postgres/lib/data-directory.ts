import { Problem, type Shell, sh } from 'provision-ts'
import type { Paths } from '../params.ts'
import type { Cluster } from './cluster-state.ts'

/**
 * Creates the data in a temporary directory and renames it when they are complete, so the data directory is always a complete cluster. It
 * removes only its own temporary directory. It refuses to start while a server runs, which would continue with moved data. pg_createcluster
 * is not used: on an error it drops the cluster with its data.
 */
export function createData({ data, unit, bin }: Paths, make: Shell): Shell {
  const [, parent = ''] = /^(.*)\/[^/]+$/.exec(data) ?? []
  const at = `${parent}/.main.provision`
  return sh`
exec 8>/run/provision-postgres.lock
flock -n 8 || { echo 'An earlier run is still creating the data. Run again when it is done.' >&2; exit 1; }
[ ! -s ${data}/PG_VERSION ] || { echo ${`${data} already has a cluster, which was not changed`} >&2; exit 1; }
if systemctl is-active -q ${unit} || ${bin}/pg_isready -q -h /run/postgresql; then
  echo ${`A server is running with data that are no longer in ${data}. Stop it first: systemctl stop ${unit}`} >&2; exit 1
fi
install -d -o postgres -g postgres -m 0755 ${parent} && rm -rf ${at} || exit 1
postgres() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups "$@"; }
at=${at}
{ ${make} && rm -f "$at/postgresql.conf" "$at/pg_hba.conf" "$at/pg_ident.conf" && sync "$at" && mv -T "$at" ${data} && sync ${parent}; } || { rm -rf "$at"; exit 1; }`
}

/** @throws Problem if the data are of another version of PostgreSQL than the inventory has */
export function checkVersion(
  { host, paths }: { readonly host: string; readonly paths: Paths },
  { version }: Cluster,
): void {
  if (version === paths.version) return
  throw new Problem(`${host} has data of PostgreSQL ${version}, and the inventory has version ${paths.version}`, {
    next: `Nothing was changed. To stay with ${version}, set it as version of the host. This role does not upgrade data.`,
  })
}
