import { type Host, type Shell, sh } from 'provision-ts'
import { conninfo } from '../../postgres/lib/conninfo.ts'
import { localFunctions, peerFunction } from '../../postgres/lib/shell.ts'
import type { Paths } from '../../postgres/params.ts'
import type { OldPrimaryAction } from '../params.ts'

interface OldPrimaryParams {
  readonly paths: Paths
  readonly primary: Host
  readonly action: OldPrimaryAction
  readonly system: string
}

/**
 * Converts the data of an old primary to those of a replica, or moves them aside. Nothing is deleted. The unit is masked until the end, so that
 * it cannot start as a primary.
 */
export function convertOldPrimary({ paths, primary, action, system }: OldPrimaryParams): Shell {
  const { unit, data } = paths
  return sh`${localFunctions(paths)}${peerFunction(paths, primary.address)}
exec 8>/run/provision-postgres.lock
flock -n 8 || { echo 'An earlier run is still changing the data. Run again when it is done.' >&2; exit 1; }
set -- $(peer 3)
[ "$1" = primary ] && [ "$3" = ${system} ] || {
  echo ${`${primary.name} does not answer this host as the primary of the same system; nothing was changed.`} >&2; exit 1
}
systemctl mask -q ${unit} && systemctl stop ${unit}
pid=$(head -n 1 ${data}/postmaster.pid 2>/dev/null)
if [ "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; then echo 'The old server does not stop.' >&2; exit 1; fi
${action === 'rewind' ? rewindScript(paths, primary.address) : moveAsideScript(paths)}
systemctl unmask -q ${unit}`
}

/** Rewinds only writes that the new primary does not have. standby.signal is written last. */
function rewindScript(paths: Paths, address: string): Shell {
  const { bin, data, config } = paths
  return sh`
if as_postgres ${bin}/pg_rewind -D ${data} --source-server=${`${conninfo(address)} dbname=postgres`} --config-file=${`${config}/postgresql.conf`} >/run/provision-rewind 2>&1 &&
  as_postgres touch ${`${data}/standby.signal`} && sync ${data}
then tail -n 3 /run/provision-rewind
else
  tail -n 8 /run/provision-rewind >&2
  echo 'The data cannot be rewound, so they are moved aside and replaced by a new copy.' >&2
  ${moveAsideScript(paths)}
fi`
}

function moveAsideScript({ data }: Paths): Shell {
  return sh`mv -T ${data} ${`${data}.before-`}"$(date -u +%Y%m%dT%H%M%SZ)" || exit 1`
}
