import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { known, mapRead, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { type AbsolutePath, entryAt } from '../files/stat.ts'
import { isAccountName } from '../system/account-reads.ts'
import { changedSince, type Unit, unitName, unitState, userUnitState } from './unit-state.ts'

/** Options of {@link service}. */
export interface ServiceOptions extends StepOptions {
  /** `any` leaves it as it is, to set only `enabled`. @default 'running'; 'stopped' for a masked service */
  readonly state?: 'running' | 'stopped' | 'any'
  /**
   * Starts the service at boot; `any` leaves it as it is, to set only the state. @default true for a running service, unless its unit is
   * static; false for a stopped one; any for the state `any`
   */
  readonly enabled?: boolean | 'any'
  /** True to mask the unit, so that nothing can start it; false to unmask it. @default a masked unit is not changed, and cannot be started */
  readonly masked?: boolean
  /**
   * The user whose systemd instance has the unit, for units in `/etc/systemd/user` or `~/.config/systemd/user`; the directories below
   * `~/.config` must belong to the user. The instance then starts at boot, without a login. @default the instance of the system
   */
  readonly user?: string
  /**
   * Restarts the service if one of these files has changed since it was started, by a step, a package or an administrator. Unlike a
   * handler, it also notices changes of others. Only for a running service. @default none
   */
  readonly restartedWhen?: readonly AbsolutePath[]
}

/**
 * A running service, now and after a boot.
 *
 * @throws TypeError for an invalid name, such as a template without an instance, and for options that contradict each other
 * @throws Problem (on the host) for a masked unit, for `enabled: true` and a static unit, and for a oneshot that does not remain active
 * @example service('nginx')
 * @example service('apt-daily.timer', { masked: true })
 * @example service('app', { restartedWhen: ['/etc/app.conf'] })
 */
export function service(
  name: string,
  {
    masked,
    state = masked ? 'stopped' : 'running',
    enabled,
    user,
    restartedWhen = [],
    ...options
  }: ServiceOptions = {},
): Step {
  const unit = unitName(name)
  if (masked && (state === 'running' || enabled === true))
    throw new TypeError(`service ${name}: a masked unit can be neither running nor enabled`)
  if (state !== 'running' && restartedWhen.length > 0)
    throw new TypeError(`service ${name}: restartedWhen is for a running service`)
  if (user !== undefined && !isAccountName(user))
    throw new TypeError(`service ${name}: "${user}" is not the name of a user`)
  for (const path of restartedWhen) checkPath(`service ${name}: restartedWhen`, path)
  return serviceStep(
    { unit, state, enabled: enabled ?? (state === 'any' ? 'any' : undefined), masked, user, restartedWhen },
    options,
  )
}

interface ServiceParams {
  readonly unit: string
  readonly state: 'running' | 'stopped' | 'any'
  readonly enabled: boolean | 'any' | undefined
  readonly masked: boolean | undefined
  readonly user: string | undefined
  readonly restartedWhen: readonly AbsolutePath[]
}

interface ServiceState extends Unit {
  /** The watched files that have changed since the start of the unit. */
  readonly changed: readonly string[]
  /** True if the user's instance starts at boot. */
  readonly lingers: boolean
}

const serviceStep = resource<ServiceParams, ServiceState>('service', {
  id: ({ unit, user }) => `${unit.replace(/\.service$/, '')}${user === undefined ? '' : ` of ${user}`}`,
  sets: ({ unit }) => [{ type: 'unit', name: unit }],
  canWaitForPackages: true,
  read: ({ unit, user, restartedWhen }) =>
    mapRead(
      readBoth(
        readBoth(user === undefined ? unitState(unit) : userUnitState(user, unit), changedSince(unit, restartedWhen)),
        user === undefined ? known(true) : mapRead(entryAt({ path: lingerPath(user) }), (entry) => entry !== undefined),
      ),
      ([[state, changed], lingers]) => ({ ...state, changed, lingers }),
    ),
  diff: (params, have) => {
    const { state, masked } = params
    const { changed, lingers } = have
    assertPossible(params, have)
    const now = have.enabled === 'runtime' ? 'until the next boot' : have.enabled
    const wanted: Readonly<Record<string, string | boolean | undefined>> = {
      state: state === 'any' ? undefined : state,
      enabled: wantedEnabled(params, have),
      masked,
      'starts at boot': params.user === undefined ? undefined : true,
    }
    const found = compare(wanted, {
      state: have.active ? 'running' : 'stopped',
      enabled: now,
      masked: have.masked,
      'starts at boot': lingers,
    })
    const problem = have.isLoaded || have.masked ? undefined : unknownUnit(params.unit)
    // An unknown unit is not running, and can be masked.
    if (masked === true) return found && { ...found, action: 'stop' }
    if (!found && changed.length > 0 && have.active)
      return { action: 'restart', fields: changed.map((path) => ({ name: 'changed since the start', to: path })) }
    if (!found) return problem && { action: 'stop', fields: [], problem }
    const moved = found.fields.some(({ name }) => name === 'state')
    const action = moved ? (state === 'running' ? 'start' : 'stop') : 'change'
    return { ...found, action, ...(problem && { problem }) }
  },
  apply: (params, have) => {
    const { changed, lingers } = have
    const { unit, state, masked, user } = params
    const commands: Shell[] = []
    const enabled = wantedEnabled(params, have)
    if (user !== undefined && !lingers) commands.push(sh`loginctl enable-linger ${user}`)
    const systemctl = user === undefined ? sh`systemctl` : sh`user_systemctl`
    const own: Shell[] = []
    if (masked === false && have.masked)
      own.push(sh`${systemctl} unmask -q ${unit} && ${systemctl} unmask -q --runtime ${unit}`)
    if (have.needsReload || (user !== undefined && !have.isLoaded)) own.push(sh`${systemctl} daemon-reload`)
    if (enabled !== undefined && enabled !== have.enabled) own.push(enabling(systemctl, unit, enabled))
    if (state !== 'any' && have.active !== (state === 'running'))
      own.push(state === 'running' ? started(systemctl, unit, user) : sh`${systemctl} stop ${unit}`)
    else if (state === 'running' && changed.length > 0) own.push(restarted(systemctl, unit, user))
    if (masked && !have.masked) own.push(sh`${systemctl} mask -q ${unit}`)
    return [...commands, ...own.map((script) => (user === undefined ? script : asUser(user, script)))]
  },
  simulate: ({ unit, state, enabled, masked, user }, { units, paths }) => {
    const key = user === undefined ? unit : `${unit} of ${user}`
    const before = units.get(key) ?? { active: false, enabled: false }
    const active = state === 'any' ? before.active : state === 'running'
    units.set(key, {
      active,
      enabled: masked ? false : enabled === 'any' ? before.enabled : (enabled ?? active),
      masked: masked ?? before.masked ?? false,
    })
    if (user !== undefined)
      paths.set(lingerPath(user), {
        type: 'file',
        owner: 'root',
        group: 'root',
        mode: '0644',
        content: Buffer.alloc(0),
      })
  },
})

/** logind keeps a file for each user whose instance starts at boot. */
function lingerPath(user: string): string {
  return `/var/lib/systemd/linger/${user}`
}

/** A unit may be enabled permanently and, in addition, until the next boot. */
function enabling(systemctl: Shell, unit: string, enabled: boolean): Shell {
  return enabled
    ? sh`${systemctl} enable -q ${unit}`
    : sh`${systemctl} disable -q ${unit} && ${systemctl} disable -q --runtime ${unit}`
}

/** Undefined if there is nothing to enable or disable. */
function wantedEnabled({ state, enabled, masked }: ServiceParams, have: Unit): boolean | undefined {
  if (masked || enabled === 'any') return undefined
  // The state of a masked unit is known only when the mask is gone.
  if (have.masked) return masked === false ? (enabled ?? state === 'running') : undefined
  if (have.enabled === undefined) return undefined
  return enabled ?? state === 'running'
}

function unknownUnit(unit: string): Problem {
  return new Problem(`systemd on the host has no unit ${unit}`, {
    next: 'Correct the name, or add its package or unit file in a step before this one.',
  })
}

function assertPossible({ unit, state, enabled, masked }: ServiceParams, have: Unit): void {
  if (have.masked && masked === undefined && (state === 'running' || enabled === true))
    throw new Problem(`${unit} is masked, so it cannot be started`, {
      next: `To allow it, add masked: false, or remove the mask on the host: systemctl unmask ${unit}`,
    })
  if (have.enabled === undefined && enabled === true && !have.masked)
    throw new Problem(`${unit} has no [Install] section, so it cannot be enabled`, {
      next: 'Leave out enabled if another unit starts it, or add WantedBy with dropIn().',
    })
  if (have.isInactiveAfterRun && state === 'running' && !have.active)
    throw new Problem(`${unit} is a oneshot without RemainAfterExit: it is inactive after it has run`, {
      next: `To run it at boot: service('${unit}', { state: 'stopped', enabled: true }). To run it now: command().`,
    })
}

/** Starts a unit; if that fails, prints its journal. */
function started(systemctl: Shell, unit: string, user: string | undefined): Shell {
  return sh`${systemctl} start ${unit} && ${systemctl} is-active -q ${unit} || { ${journal(unit, user)}; ${systemctl} is-active ${unit}; exit 1; }`
}

function restarted(systemctl: Shell, unit: string, user: string | undefined): Shell {
  return sh`${systemctl} restart ${unit} && ${systemctl} is-active -q ${unit} || { ${journal(unit, user)}; ${systemctl} is-active ${unit}; exit 1; }`
}

function journal(unit: string, user: string | undefined): Shell {
  return user === undefined
    ? sh`journalctl -q --no-pager -o cat -n 15 -u ${unit}`
    : sh`journalctl -q --no-pager -o cat -n 15 ${`_SYSTEMD_USER_UNIT=${unit}`}`
}

/** Waits for the user's instance, which a new setting of logind starts in the background. */
function asUser(user: string, script: Shell): Shell {
  return sh`uid=$(id -u ${user}) || exit
tries=0
until [ -S "/run/user/$uid/systemd/private" ]; do
  [ $tries -lt 300 ] || { echo ${`The systemd instance of ${user} does not start`} >&2; exit 1; }
  tries=$((tries + 1))
  sleep 0.1
done
user_systemctl() { runuser -u ${user} -- env "XDG_RUNTIME_DIR=/run/user/$uid" systemctl --user "$@"; }
${script}`
}
