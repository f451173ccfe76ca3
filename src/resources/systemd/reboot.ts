import type { RoleCall, RoleContext } from '../../model/playbook/steps.ts'
import { rebooting } from '../../model/resource/handler.ts'
import { mapRead, type Read, read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { callSite, type Source } from '../../model/source.ts'
import type { Duration } from '../../shell/duration.ts'
import { type Shell, sh } from '../../shell/sh.ts'

/** When a host is rebooted, and how long that may take: see {@link reboot}. */
export type RebootOptions = StepOptions &
  RebootCondition & {
    /** How long the host may take to come back, with all that is started at boot. @default '5m' */
    readonly within?: Duration
  }

/** When a host is rebooted. @default when Debian asks for it: /run/reboot-required is there */
type RebootCondition =
  | {
      /** Ends with status 0 when it is to be. Asked again after the reboot: it must no longer hold then. */
      readonly when?: Shell
      readonly unless?: never
      readonly always?: never
    }
  | {
      /** Ends with status 0 when there is no need. Asked again after the reboot: it must hold then. */
      readonly unless: Shell
      readonly when?: never
      readonly always?: never
    }
  | {
      /** Once in each run. */
      readonly always: true
      readonly when?: never
      readonly unless?: never
    }

/**
 * Reboots the host when there is reason to, and goes on when it is back: its host key is checked as ever, its boot is another one, and
 * it has finished booting. A bracket around the host stays open meanwhile; what comes after is read anew.
 *
 * @example reboot()                                                        // when an upgrade asks for it
 * @example reboot({ unless: sh`grep -qw nomodeset /proc/cmdline` })
 * @example play('reboot', { hosts: web, serial: 1, drain: drainFrom(lb, 'web') }, () => reboot({ always: true }))
 */
export function reboot(options: RebootOptions & { readonly always: true }): RoleCall
export function reboot(options?: RebootOptions & { readonly always?: never }): Step
export function reboot({
  when,
  unless,
  always,
  within = '5m',
  ...options
}: RebootOptions = {}): Step | RoleCall {
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
  return step('when required', required)
}

/** For which packages the host is to be rebooted, where that is known; undefined when it need not be. */
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
    reason === undefined
      ? undefined
      : { action: 'reboot', fields: reason.map((to) => ({ name: 'for', to })) },
  apply: ({ within }) => [rebooting(within)],
})

/** Debian's own word, and the packages that it is for. */
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

const bootId = read(sh`cat /proc/sys/kernel/random/boot_id`, ({ stdout }) => stdout.trim(), {
  dependsOn: [],
})

/** A host's facts are those of the beginning of the run: while its boot is the one that they name, it was not rebooted yet. */
function oncePerRun(source: Source | undefined, step: (reason: Read<Reason>) => Step): RoleCall {
  return Object.freeze({
    type: 'role',
    name: 'reboot',
    source,
    tags: [],
    steps: ({ facts }: RoleContext) => step(mapRead(bootId, (now) => due(now === facts.bootId))),
  })
}

/** The question, in one line. */
function inOneLine({ text }: Shell): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}
