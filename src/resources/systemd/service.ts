import { Problem } from '../../model/problem.ts'
import { compare } from '../../model/resource/diff.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { type Unit, unitName, unitState } from './unit-state.ts'

interface ServiceOptions extends StepOptions {
  /** @default 'running' */
  readonly state?: 'running' | 'stopped'
  /**
   * Starts the service at boot. @default true for a running service, unless its unit is static; false for a stopped one
   */
  readonly enabled?: boolean
}

/**
 * A running service, now and after a boot.
 *
 * @throws TypeError for an invalid name, such as a template without an instance
 * @throws Problem (on the host) for a masked unit, for `enabled: true` and a static unit, and for a oneshot that does not remain active
 * @example service('nginx')
 */
export function service(name: string, { state = 'running', enabled, ...options }: ServiceOptions = {}): Step {
  return serviceStep({ unit: unitName(name), state, enabled }, options)
}

interface ServiceParams {
  readonly unit: string
  readonly state: 'running' | 'stopped'
  readonly enabled: boolean | undefined
}

const serviceStep = resource<ServiceParams, Unit>('service', {
  id: ({ unit }) => unit.replace(/\.service$/, ''),
  canWaitForPackages: true,
  read: ({ unit }) => unitState(unit),
  diff: (params, have) => {
    const { state } = params
    assertPossible(params, have)
    const enabled = wantedEnabled(params, have)
    const now = have.enabled === 'runtime' ? 'until the next boot' : have.enabled
    const wanted: Readonly<Record<string, string | boolean | undefined>> = { state, enabled }
    const found = compare(wanted, { state: have.active ? 'running' : 'stopped', enabled: now })
    const problem = have.isLoaded || have.masked ? undefined : unknownUnit(params.unit)
    if (!found) return problem && { action: 'stop', fields: [], problem }
    const moved = found.fields.some(({ name }) => name === 'state')
    const action = moved ? (state === 'running' ? 'start' : 'stop') : 'change'
    return { ...found, action, ...(problem && { problem }) }
  },
  apply: (params, have) => {
    const { unit, state } = params
    const enabled = wantedEnabled(params, have)
    const commands: Shell[] = []
    if (have.needsReload) commands.push(sh`systemctl daemon-reload`)
    if (enabled !== undefined && enabled !== have.enabled) commands.push(enabling(unit, enabled))
    if (have.active !== (state === 'running'))
      commands.push(state === 'running' ? started(unit) : sh`systemctl stop ${unit}`)
    return commands
  },
  simulate: ({ unit, state, enabled = state === 'running' }, { units }) =>
    void units.set(unit, { active: state === 'running', enabled }),
})

/** A unit may be enabled permanently and, in addition, until the next boot. */
function enabling(unit: string, enabled: boolean): Shell {
  return enabled
    ? sh`systemctl enable -q ${unit}`
    : sh`systemctl disable -q ${unit} && systemctl disable -q --runtime ${unit}`
}

/** Undefined if there is nothing to enable or disable. */
function wantedEnabled({ state, enabled }: ServiceParams, have: Unit): boolean | undefined {
  if (have.masked || have.enabled === undefined) return undefined
  return enabled ?? state === 'running'
}

function unknownUnit(unit: string): Problem {
  return new Problem(`systemd on the host has no unit ${unit}`, {
    next: 'Correct the name, or add its package or unit file in a step before this one.',
  })
}

function assertPossible({ unit, state, enabled }: ServiceParams, have: Unit): void {
  if (have.masked && (state === 'running' || enabled))
    throw new Problem(`${unit} is masked, so it cannot be started`, {
      next: `To allow it, remove the mask on the host: systemctl unmask ${unit}`,
    })
  if (have.enabled === undefined && enabled)
    throw new Problem(`${unit} has no [Install] section, so it cannot be enabled`, {
      next: 'Leave out enabled if another unit starts it, or add WantedBy with dropIn().',
    })
  if (have.isInactiveAfterRun && state === 'running' && !have.active)
    throw new Problem(`${unit} is a oneshot without RemainAfterExit: it is inactive after it has run`, {
      next: `To run it at boot: service('${unit}', { state: 'stopped', enabled: true }). To run it now: command().`,
    })
}

/** Starts a unit; if that fails, prints its journal. */
function started(unit: string): Shell {
  return sh`systemctl start ${unit} && systemctl is-active -q ${unit} || { journalctl -q --no-pager -o cat -n 15 -u ${unit}; systemctl is-active ${unit}; exit 1; }`
}
