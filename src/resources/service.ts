import { compare } from '../model/difference.ts'
import { family } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { type Shell, sh } from '../shell/sh.ts'

export interface ServiceOptions extends StepOptions {
  /** @default 'running' */
  readonly state?: 'running' | 'stopped'
  /** Whether it starts at boot. @default true for a running one, false for a stopped one */
  readonly enabled?: boolean
}

/** A unit of systemd as it is now. */
interface Unit {
  readonly active: boolean
  /** Undefined for one that can be neither enabled nor disabled: it comes up with what needs it. */
  readonly enabled: boolean | undefined
  readonly needsReload: boolean
}

/** One `systemctl show` for all units of a host. */
const unitState = family<string, Unit>({
  name: 'units',
  script: (names) => sh`systemctl show -p ActiveState,UnitFileState,NeedDaemonReload -- ${names}`,
  parse: ({ stdout }, names) => {
    const records = stdout.split('\n\n')
    return names.map((_name, i) => {
      const fields = new Map(
        (records[i] ?? '')
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      )
      return {
        active: ['active', 'reloading'].includes(fields.get('ActiveState') ?? ''),
        enabled: isEnabled(fields.get('UnitFileState') ?? ''),
        needsReload: fields.get('NeedDaemonReload') === 'yes',
      }
    })
  },
  sketched: ({ units }, name) => ({
    ...(units.get(name) ?? { active: false, enabled: false }),
    needsReload: false,
  }),
})

function isEnabled(state: string): boolean | undefined {
  if (['static', 'alias', 'indirect', 'generated', 'transient'].includes(state)) return undefined
  return ['enabled', 'enabled-runtime'].includes(state)
}

/** A service that runs, now and after a boot. @example service('nginx') */
export function service(
  name: string,
  { state = 'running', enabled = state === 'running', ...options }: ServiceOptions = {},
): Step {
  return serviceStep({ unit: name.includes('.') ? name : `${name}.service`, state, enabled }, options)
}

interface ServiceParams {
  readonly unit: string
  readonly state: 'running' | 'stopped'
  readonly enabled: boolean
}

const serviceStep = resource<ServiceParams, Unit>('service', {
  id: ({ unit }) => unit.replace(/\.service$/, ''),
  yields: true,
  read: ({ unit }) => unitState(unit),
  diff: ({ state, enabled }, have) => {
    const found = compare(
      { state, enabled: have.enabled === undefined ? undefined : enabled },
      { state: have.active ? 'running' : 'stopped', enabled: have.enabled },
    )
    if (!found) return undefined
    const moved = found.fields.some(({ name }) => name === 'state')
    return { ...found, verb: moved ? (state === 'running' ? 'start' : 'stop') : 'change' }
  },
  apply: ({ unit, state, enabled }, have) => {
    const commands: Shell[] = []
    if (have.needsReload) commands.push(sh`systemctl daemon-reload`)
    if (have.enabled !== undefined && enabled !== have.enabled)
      commands.push(sh`systemctl ${enabled ? 'enable' : 'disable'} -q ${unit}`)
    if (have.active !== (state === 'running'))
      commands.push(state === 'running' ? started(unit) : sh`systemctl stop ${unit}`)
    return commands
  },
  becomes: ({ unit, state, enabled }, { units }) =>
    void units.set(unit, { active: state === 'running', enabled }),
})

/** Starts a unit; when it does not come up, says why in the unit's own words. */
function started(unit: string): Shell {
  return sh`systemctl start ${unit} && systemctl is-active -q ${unit} || { journalctl -q --no-pager -o cat -n 15 -u ${unit}; systemctl is-active ${unit}; exit 1; }`
}
