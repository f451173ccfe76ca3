import { batchRead, known, mapRead, type Read } from '../../model/resource/read.ts'
import { joinLines, sh } from '../../shell/sh.ts'

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
    return names.map((name) => unitIn(records, name))
  },
  fakeValue: ({ units }, name) => ({
    ...{ active: false, enabled: false, masked: false, ...units.get(name) },
    ...{ isLoaded: true, isInactiveAfterRun: false, needsReload: false },
  }),
})

/** The state of a unit in the records of `systemctl show`; undefined if it is not in them. */
function unitIn(records: readonly ReadonlyMap<string, string>[], name: string): Unit | undefined {
  const extra = (key: string) => records.some((fields) => fields.get(key) === name)
  const found = records.find((fields) => fields.get('Id') === name || fields.get('Names')?.split(' ').includes(name))
  if (!found) return undefined
  const state = found.get('UnitFileState') ?? ''
  return {
    active: ['active', 'reloading'].includes(found.get('ActiveState') ?? ''),
    enabled: state === 'generated' ? extra('SysV') : state === 'indirect' ? extra('Also') : enabledOf(state),
    masked: found.get('LoadState') === 'masked' || state.startsWith('masked'),
    isLoaded: found.get('LoadState') === 'loaded',
    isInactiveAfterRun: found.get('Type') === 'oneshot' && found.get('RemainAfterExit') === 'no',
    needsReload: found.get('NeedDaemonReload') === 'yes',
  }
}

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

interface UserUnit {
  readonly user: string
  readonly unit: string
}

/** A unit of a user's systemd instance. One `systemctl` for each user. While the instance does not run, all of its units are stopped. */
const userUnitNow = batchRead<UserUnit, Unit | undefined>({
  name: 'units of users',
  dependsOn: ({ user, unit }) => [
    `/etc/passwd/${user}`,
    `/var/lib/systemd/linger/${user}`,
    `/user-units/${user}/${unit}`,
  ],
  shared: true,
  script: (queries) => {
    const users = [...new Set(queries.map(({ user }) => user))]
    return joinLines(
      users.map((user) => {
        const units = queries.filter((one) => one.user === user).map(({ unit }) => unit)
        return sh`uid=$(id -u ${user} 2>/dev/null)
printf '\nUser=%s\n\n' ${user}
[ ! -S "/run/user/$uid/systemd/private" ] || runuser -u ${user} -- env "XDG_RUNTIME_DIR=/run/user/$uid" systemctl --user show -p ${PROPERTIES} -- ${units}`
      }),
    )
  },
  parse: ({ stdout }, queries) => {
    const byUser = new Map<string, ReadonlyMap<string, string>[]>()
    let records: ReadonlyMap<string, string>[] = []
    for (const fields of stdout.split('\n\n').map(fieldsOf)) {
      const user = fields.get('User')
      if (user === undefined) records.push(fields)
      else {
        records = []
        byUser.set(user, records)
      }
    }
    return queries.map(({ user, unit }) => unitIn(byUser.get(user) ?? [], unit))
  },
  fakeValue: ({ units }, { user, unit }) => ({ ...STOPPED, ...units.get(`${unit} of ${user}`) }),
})

const STOPPED: Unit = {
  ...{ active: false, enabled: false, masked: false },
  ...{ isLoaded: true, isInactiveAfterRun: false, needsReload: false },
}

export function userUnitState(user: string, unit: string): Read<Unit> {
  return mapRead(userUnitNow({ user, unit }), (found) => found ?? STOPPED)
}

interface Watched {
  readonly unit: string
  readonly paths: readonly string[]
}

/** The files that were changed after the unit was started. By the time of the inode: packages and copies set that of the content. */
const changedFiles = batchRead<Watched, readonly string[]>({
  name: 'files changed since the start of units',
  dependsOn: ({ unit, paths }) => [...definitionsOf(unit), ...paths],
  shared: true,
  script: (
    queries,
  ) => sh`systemctl show --timestamp=us+utc -p Id,Names,InactiveExitTimestamp -- ${queries.map(({ unit }) => unit)}
echo
find -L ${[...new Set(queries.flatMap(({ paths }) => paths))]} -maxdepth 0 -printf 'Path=%C@ %p\n\n' 2>/dev/null
:`,
  parse: ({ stdout }, queries) => {
    const records = stdout.split('\n\n').map(fieldsOf)
    const changes = new Map(
      records.flatMap((fields) => {
        const [, at, path] = /^([\d.]+) (.*)$/s.exec(fields.get('Path') ?? '') ?? []
        return at === undefined || path === undefined ? [] : [[path, Number(at) * 1e6] as const]
      }),
    )
    return queries.map(({ unit, paths }) => {
      const own = records.find((fields) => fields.get('Id') === unit || fields.get('Names')?.split(' ').includes(unit))
      const started = microseconds(own?.get('InactiveExitTimestamp') ?? '')
      return started === undefined ? [] : paths.filter((path) => (changes.get(path) ?? 0) > started)
    })
  },
  fakeValue: () => [],
})

export function changedSince(unit: string, paths: readonly string[]): Read<readonly string[]> {
  return paths.length === 0 ? known([]) : changedFiles({ unit, paths })
}

/** `Mon 2026-11-30 12:52:30.123456 UTC` in microseconds since 1970; undefined for a unit that never started. */
function microseconds(text: string): number | undefined {
  const [, day, time, fraction = '0'] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))? UTC$/.exec(text) ?? []
  return day === undefined ? undefined : Date.parse(`${day}T${time}Z`) * 1000 + Number(fraction.padEnd(6, '0'))
}
