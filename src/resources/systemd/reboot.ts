import type { RoleCall, RoleContext } from '../../model/playbook/steps.ts'
import { rebooting } from '../../model/resource/handler.ts'
import { mapRead, type Read, read } from '../../model/resource/read.ts'
import { onlyFor, resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { callSite, type Source } from '../../model/source.ts'
import type { Duration } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'

/** Options of {@link reboot}. */
export type RebootOptions = StepOptions &
  RebootCondition & {
    /** The time for the reboot, including all services that start at boot. @default '5m' */
    readonly within?: Duration
  }

/** @default when /run/reboot-required exists, which Debian creates after some upgrades */
type RebootCondition =
  | {
      /** Reboots if this exits with status 0. After the reboot it must fail. */
      readonly when?: Shell
      readonly unless?: never
      readonly always?: never
    }
  | {
      /** Reboots unless this exits with status 0. After the reboot it must succeed. */
      readonly unless: Shell
      readonly when?: never
      readonly always?: never
    }
  | {
      /** Reboots once in each run. */
      readonly always: true
      readonly when?: never
      readonly unless?: never
    }

/**
 * Reboots the host on a condition, and continues after the reboot: the host key is checked, the boot id is new, and the host has finished
 * booting. A drained host stays drained; later steps are read again.
 *
 * @example reboot()                                                        // if an upgrade requires it
 * @example reboot({ unless: sh`grep -qw nomodeset /proc/cmdline` })
 * @example play('reboot', { hosts: web, serial: 1, drain: drainFrom(lb, 'web') }, () => reboot({ always: true }))
 */
export function reboot(options: RebootOptions & { readonly always: true }): RoleCall
export function reboot(options?: RebootOptions & { readonly always?: never }): Step
export function reboot({ when, unless, always, within = '5m', ...options }: RebootOptions = {}): Step | RoleCall {
  const source = callSite()
  const step = (label: string, reason: Read<Reason>): Step => ({
    ...rebootStep({ label, reason, within }, options),
    source,
  })
  if (always) return oncePerRun(source, (reason) => step('once', reason))
  if (when) return step(`when ${inOneLine(when)}`, mapRead(holds(when), due))
  if (unless)
    return step(
      `unless ${inOneLine(unless)}`,
      mapRead(holds(unless), (yes) => due(!yes)),
    )
  return { ...step('when required', required), forPlatform: onlyFor(['debian']) }
}

/** The packages that require the reboot, if known; undefined if no reboot is needed. */
type Reason = readonly string[] | undefined

interface RebootParams {
  readonly label: string
  readonly reason: Read<Reason>
  readonly within: Duration
}

const rebootStep = resource<RebootParams, Reason>('reboot', {
  id: ({ label }) => label,
  read: ({ reason }) => reason,
  diff: (_params, reason) =>
    reason === undefined ? undefined : { action: 'reboot', fields: reason.map((to) => ({ name: 'for', to })) },
  apply: ({ within }) => [rebooting(within)],
})

const required = read(
  sh`[ -e /run/reboot-required ] && { sort -u /run/reboot-required.pkgs 2>/dev/null || true; }`,
  ({ code, stdout }): Reason => (code === 0 ? stdout.split('\n').filter((name) => name !== '') : undefined),
  { dependsOn: ['/run/reboot-required', '/run/reboot-required.pkgs'] },
)

function holds(script: Shell): Read<boolean> {
  return read(
    sh`{ ${script}
} >/dev/null 2>&1`,
    ({ code }) => code === 0,
  )
}

function due(is: boolean): Reason {
  return is ? [] : undefined
}

const bootId = read(sh`cat /proc/sys/kernel/random/boot_id`, ({ stdout }) => stdout.trim(), { dependsOn: [] })

/** The facts have the boot id from the start of the run. While it is the current one, the host was not rebooted yet. */
function oncePerRun(source: Source | undefined, step: (reason: Read<Reason>) => Step): RoleCall {
  return Object.freeze({
    type: 'role',
    name: 'reboot',
    source,
    tags: [],
    steps: ({ facts }: RoleContext) => step(mapRead(bootId, (now) => due(now === facts.bootId))),
  })
}

function inOneLine({ text }: Shell): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}
