import { read, resource, sh } from 'provision-ts'

/** A service that runs the code that is on the disk: not a program or a library that an update has replaced since it was started. */
export function current(unit: string) {
  return currentCode({ unit })
}

const currentCode = resource<{ readonly unit: string }, readonly string[]>('current code', {
  id: ({ unit }) => unit,
  read: ({ unit }) =>
    read(
      sh`
for one in $(systemctl list-units --plain --no-legend --state active ${`${unit}.service`} | awk '{ print $1 }'); do
  cat "/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$one")/cgroup.procs"
done 2>/dev/null | while read -r process; do
  sed -n 's|^[^/]*\(/[^ ]*\) (deleted)$|\1|p' "/proc/$process/maps" 2>/dev/null
done | grep -E '^/(usr/)?(lib|lib64|bin|sbin)/' | sort -u`,
      ({ stdout }) => stdout.split('\n').filter((line) => line !== ''),
    ),
  diff: (_params, replaced) =>
    replaced.length === 0
      ? undefined
      : { verb: 'restart', fields: replaced.slice(0, 3).map((to) => ({ name: 'replaced', to })) },
  apply: ({ unit }) => [sh`systemctl restart ${`${unit}.service`}`],
})
