import { batchRead, known, mapRead, type Read } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'

/** The state of a systemd unit. */
export interface Unit {
  readonly active: boolean
  /** Undefined for a unit without an [Install] section; `runtime` for one enabled until the next boot. */
  readonly enabled: boolean | 'runtime' | undefined
  readonly masked: boolean
  /** True if systemd has found a definition. */
  readonly isLoaded: boolean
  /** True for a oneshot without RemainAfterExit, which is inactive after it has run. */
  readonly isInactiveAfterRun: boolean
  /** True if the definition on disk is newer than the one that systemd uses. */
  readonly needsReload: boolean
}

/**
 * The full name of a unit: `nginx` becomes `nginx.service`.
 *
 * @throws TypeError for an invalid name
 */
export function unitName(name: string): string {
  const full = SUFFIX.test(name) ? name : `${name}.service`
  const stem = full.replace(SUFFIX, '')
  if (!/^[\w:.\\@-]+$/.test(stem) || full.length > 255) throw new TypeError(`"${name}" is not the name of a unit`)
  if (stem.endsWith('@')) throw new TypeError(`"${name}" is a template without an instance: write ${stem}INSTANCE`)
  return full
}

const SUFFIX = /\.(?:service|socket|timer|path|mount|automount|swap|target|slice|scope|device)$/

/** True for a path from which systemd reads units. */
export function isUnitFile(path: string): boolean {
  return /^\/(?:etc|run|lib|usr\/lib|usr\/local\/lib)\/systemd\/system\//.test(path)
}

/** The paths of a unit's definition, except for those of packages. */
function definitionsOf(name: string): readonly string[] {
  const template = name.replace(/@.+(\.\w+)$/, '@$1')
  return [
    `/etc/init.d/${name.replace(SUFFIX, '')}`,
    ...[...new Set([name, template])].flatMap((one) => [`/etc/systemd/system/${one}`, `/etc/systemd/system/${one}.d`]),
  ]
}

const PROPERTIES = 'Id,Names,LoadState,ActiveState,UnitFileState,NeedDaemonReload,Type,RemainAfterExit'

/**
 * One `systemctl show` for all units of a host. For two kinds of units it does not show if they are enabled, so the script checks the
 * links of System V scripts and the units named by `Also=`, which take another `systemctl`.
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
        enabled: state === 'generated' ? scripts.has(name) : state === 'indirect' ? also.has(name) : enabledOf(state),
        masked: found.get('LoadState') === 'masked' || state.startsWith('masked'),
        isLoaded: found.get('LoadState') === 'loaded',
        isInactiveAfterRun: found.get('Type') === 'oneshot' && found.get('RemainAfterExit') === 'no',
        needsReload: found.get('NeedDaemonReload') === 'yes',
      }
    })
  },
  fakeValue: ({ units }, name) => ({
    ...(units.get(name) ?? { active: false, enabled: false }),
    ...{ masked: false, isLoaded: true, isInactiveAfterRun: false, needsReload: false },
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

/** The state of a unit. @throws Error if systemd on the host does not show it */
export function unitState(name: string): Read<Unit> {
  return mapRead(unitNow(name), (found) => {
    if (!found) throw new Error(`systemctl show on the host prints nothing about ${name}`)
    return found
  })
}

/** True if systemd uses an older definition of the unit than the one on disk. A template has no state: systemd loads only its instances. */
export function needsReload(name: string): Read<boolean> {
  return name.includes('@.') ? known(false) : mapRead(unitNow(name), (found) => found?.needsReload ?? false)
}
