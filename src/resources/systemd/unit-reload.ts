import { batchRead } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'

/** Whether systemd goes on with another definition of a unit than that on the disk. One `systemctl show` for all units of a host. */
export const needsReload = batchRead<string, boolean>({
  name: 'units to reload',
  dependsOn: () => [],
  script: (names) => sh`systemctl show -p Names,NeedDaemonReload -- ${names} 2>/dev/null; :`,
  parse: ({ stdout }, names) => {
    const records = stdout.split('\n\n').map((record) => record.split('\n'))
    const stale = records.filter((lines) => lines.includes('NeedDaemonReload=yes'))
    const units = new Set(
      stale.flatMap(
        (lines) =>
          lines
            .find((line) => line.startsWith('Names='))
            ?.slice(6)
            .split(' ') ?? [],
      ),
    )
    return names.map((name) => units.has(name))
  },
  fakeValue: () => false,
})

/** Whether systemd reads a unit from this path. */
export function isUnitFile(path: string): boolean {
  return /^\/(?:etc|run|lib|usr\/lib|usr\/local\/lib)\/systemd\/system\//.test(path)
}
