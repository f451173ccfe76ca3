import { read, resource, sh } from 'provision-ts'

/**
 * Restarts a service that runs a program or a library that an update has replaced.
 *
 * @param restarts the unit to restart
 */
export function restartIfOutdated(unit: string, restarts = unit) {
  return currentCode({ unit, restarts })
}

interface CurrentCode {
  readonly unit: string
  readonly restarts: string
}

const currentCode = resource<CurrentCode, readonly string[]>('current code', {
  id: ({ unit }) => unit,
  read: ({ unit }) =>
    read(
      sh`
for one in $(systemctl list-units --plain --no-legend --state active ${`${unit}.service`} | awk '{ print $1 }'); do
  # Where its cgroup is mounted depends on the version of cgroups.
  grep -lsF "/$one" /proc/[0-9]*/cgroup
done | while read -r path; do
  sed -n 's|^[^/]*\(/[^ ]*\) (deleted)$|\1|p' "\${path%/cgroup}/maps" 2>/dev/null
done | grep -E '^/(usr/)?(lib|lib64|bin|sbin)/' | sort -u`,
      ({ stdout }) => stdout.split('\n').filter((line) => line !== ''),
    ),
  diff: (_params, replaced) =>
    replaced.length === 0
      ? undefined
      : { action: 'restart', fields: replaced.slice(0, 3).map((to) => ({ name: 'replaced', to })) },
  apply: ({ restarts }) => [sh`systemctl restart ${`${restarts}.service`}`],
})
