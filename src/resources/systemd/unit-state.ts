import { batchRead, mapRead, type Read } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'

/** A unit of systemd as it is now. */
export interface Unit {
  readonly active: boolean
  /** Undefined for one that has nothing to enable; `runtime` for one that is enabled until the next boot only. */
  readonly enabled: boolean | 'runtime' | undefined
  readonly masked: boolean
  /** Whether systemd has found a definition of it. */
  readonly isLoaded: boolean
  /** Whether it is a oneshot that is inactive again once its work is done. */
  readonly endsByItself: boolean
  readonly needsReload: boolean
}

/**
 * The full name of a unit: `nginx` stands for `nginx.service`.
 *
 * @throws TypeError for a name that no unit can have
 */
export function unitName(name: string): string {
  const full = SUFFIX.test(name) ? name : `${name}.service`
  const stem = full.replace(SUFFIX, '')
  if (!/^[\w:.\\@-]+$/.test(stem) || full.length > 255)
    throw new TypeError(`"${name}" is not the name of a unit`)
  if (stem.endsWith('@'))
    throw new TypeError(`"${name}" is a template without an instance: write ${stem}INSTANCE`)
  return full
}

const SUFFIX = /\.(?:service|socket|timer|path|mount|automount|swap|target|slice|scope|device)$/

/** Where the definition of a unit may stand, when it is not that of a package. */
export function definitionsOf(name: string): readonly string[] {
  const template = name.replace(/@.+(\.\w+)$/, '@$1')
  return [
    `/etc/init.d/${name.replace(SUFFIX, '')}`,
    ...[...new Set([name, template])].flatMap((one) => [
      `/etc/systemd/system/${one}`,
      `/etc/systemd/system/${one}.d`,
    ]),
  ]
}

const PROPERTIES = 'Id,Names,LoadState,ActiveState,UnitFileState,NeedDaemonReload,Type,RemainAfterExit'

/**
 * One `systemctl show` for all units of a host. systemd says nothing about two sorts of units, so the shell itself looks for the links of
 * a System V script and for `Also=` in unit files. What that names is asked by one `systemctl` more.
 */
const unitNow = batchRead<string, Unit | undefined>({
  name: 'units',
  dependsOn: definitionsOf,
  shared: true,
  script: (names) => sh`
systemctl show -p ${PROPERTIES} -- ${names}
for name in ${names}; do
  bare=\${name%.service}
  [ ! -e "/etc/init.d/$bare" ] ||
  for link in /etc/rc[2345].d/S??"$bare"; do [ ! -e "$link" ] || { printf '\nSysV=%s\n' "$name"; break; }; done
  for path in "/etc/systemd/system/$name" "/run/systemd/system/$name" "/usr/lib/systemd/system/$name" "/lib/systemd/system/$name"; do
    [ -f "$path" ] || continue
    also=
    while read -r line; do case $line in Also=*) also="$also \${line#Also=}" ;; esac; done <"$path"
    [ -z "$also" ] || ! systemctl is-enabled -q $also || printf '\nAlso=%s\n' "$name"
    break
  done
done`,
  parse: ({ stdout }, names) => {
    const records = stdout.split('\n\n').map(fieldsOf)
    const extra = (key: string) => new Set(records.map((fields) => fields.get(key)))
    const [scripts, also] = [extra('SysV'), extra('Also')]
    return names.map((name) => {
      const found = records.find(
        (fields) => fields.get('Id') === name || fields.get('Names')?.split(' ').includes(name),
      )
      if (!found) return undefined
      const state = found.get('UnitFileState') ?? ''
      return {
        active: ['active', 'reloading'].includes(found.get('ActiveState') ?? ''),
        enabled:
          state === 'generated'
            ? scripts.has(name)
            : state === 'indirect'
              ? also.has(name)
              : enabledOf(state),
        masked: found.get('LoadState') === 'masked' || state.startsWith('masked'),
        isLoaded: found.get('LoadState') === 'loaded',
        endsByItself: found.get('Type') === 'oneshot' && found.get('RemainAfterExit') === 'no',
        needsReload: found.get('NeedDaemonReload') === 'yes',
      }
    })
  },
  fakeValue: ({ units }, name) => ({
    ...(units.get(name) ?? { active: false, enabled: false }),
    ...{ masked: false, isLoaded: true, endsByItself: false, needsReload: false },
  }),
})

function fieldsOf(record: string): ReadonlyMap<string, string> {
  return new Map(
    record.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function enabledOf(state: string): Unit['enabled'] {
  if (['static', 'alias', 'transient'].includes(state)) return undefined
  return state === 'enabled-runtime' ? 'runtime' : state === 'enabled'
}

/** The state of a unit. @throws Error when systemd on the host says nothing about it */
export function unitState(name: string): Read<Unit> {
  return mapRead(unitNow(name), (found) => {
    if (!found) throw new Error(`systemd on the host says nothing about ${name}`)
    return found
  })
}

/** Whether systemd goes on with another definition than that on the disk. It is asked together with {@link unitState}. */
export function isStale(name: string): Read<boolean> {
  return mapRead(unitNow(name), (found) => found?.needsReload ?? false)
}
