import type { Steps } from '../../model/playbook/steps.ts'
import { Problem } from '../../model/problem.ts'
import { removePath } from '../../model/resource/fake-state.ts'
import { batchRead, readAll, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Duration, milliseconds } from '../../shell/duration.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { checkName } from '../arguments.ts'
import { moveToRemoved } from '../files/staging.ts'
import { type Entry, entryAt } from '../files/stat.ts'
import { isAccountReference } from '../system/account-reads.ts'
import { service } from './service.ts'
import { unit } from './unit.ts'
import { type Unit, unitState } from './unit-state.ts'

/** Options of {@link timer}. */
export interface TimerOptions extends StepOptions {
  /** Times in the format of systemd.time(7): `daily`, `Mon..Fri 02:30`, `*:0/15`. A list of several is their union. */
  readonly at: string | readonly string[]
  /** The command; its output goes to the journal: `journalctl -u NAME`. */
  readonly run: Shell
  /** The user that runs it. @default root */
  readonly as?: string
  /** Runs it at boot if the host was down at the time. @default true */
  readonly persistent?: boolean
  /** Delays each run by a random time up to this, so that hosts do not start at once. @default no delay */
  readonly randomDelay?: Duration
  /** Ends a run that takes longer. @default no limit */
  readonly maxRuntime?: Duration
}

/**
 * A command that runs at certain times: a systemd timer with its service. A run does not start while the last one is running. The times
 * are checked by `systemd-analyze calendar` on the host before anything changes.
 *
 * @param name of both units, without suffix
 * @throws TypeError for an invalid name, and for no time
 * @throws Problem (on the host) for a time that systemd does not accept
 * @example timer('backup', { at: '02:30', run: sh`pg_dump app | gzip > /var/backups/app.gz`, as: 'postgres', randomDelay: '10m' })
 */
export function timer(
  name: string,
  { at, run, as, persistent = true, randomDelay, maxRuntime, ...options }: TimerOptions,
): Steps {
  checkTimerName('timer', name)
  const times = typeof at === 'string' ? [at] : at
  if (times.length === 0 || times.some((time) => time.trim() === '' || /[\n\0]/.test(time)))
    throw new TypeError(`timer ${name}: at is not a time such as daily or Mon..Fri 02:30`)
  if (as !== undefined && !isAccountReference(as))
    throw new TypeError(`timer ${name}: "${as}" is not the name of a user`)
  const limits = [
    ...(as === undefined ? [] : [`User=${as}`]),
    ...(maxRuntime === undefined ? [] : [`TimeoutStartSec=${seconds(maxRuntime)}`]),
  ]
  const schedule = [
    ...times.map((time) => `OnCalendar=${time}`),
    ...(persistent ? ['Persistent=true'] : []),
    ...(randomDelay === undefined ? [] : [`RandomizedDelaySec=${seconds(randomDelay)}`]),
  ]
  return [
    calendarStep({ name, times }, options),
    unit(
      `${name}.service`,
      section('Unit', [`Description=${name}, by its timer`]) +
        section('Service', ['Type=oneshot', ...limits, `ExecStart=${execLine(run)}`]),
      options,
    ),
    unit(
      `${name}.timer`,
      section('Unit', [`Description=Timer of ${name}`]) +
        section('Timer', schedule) +
        section('Install', ['WantedBy=timers.target']),
      options,
    ),
    // A running timer keeps its old times until it is restarted.
    service(`${name}.timer`, { ...options, restartedWhen: [`/etc/systemd/system/${name}.timer`] }),
  ]
}

/** No timer of this name, and no service that belongs to it. The unit files are moved to `/var/lib/provision/removed`. */
timer.absent = (name: string, options: StepOptions = {}): Step => {
  checkTimerName('timer.absent', name)
  return absentStep({ name }, options)
}

function checkTimerName(what: string, name: string): void {
  checkName(`${what}: the name`, name)
  if (!/^[\w:.\\@-]+$/.test(name)) throw new TypeError(`${what}: "${name}" is not the name of a unit`)
}

function seconds(duration: Duration): number {
  return milliseconds(duration) / 1000
}

function section(name: string, lines: readonly string[]): string {
  return `[${name}]\n${lines.map((line) => `${line}\n`).join('')}`
}

/** A line for systemd, which replaces `%` and `$`, and removes quotes and backslashes. */
export function execLine({ text }: Shell): string {
  const escapes: Readonly<Record<string, string>> = {
    ...{ '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '%': '%%', $: '$$' },
  }
  return `/bin/sh -c "${text.trim().replace(/[\\"\n\t%$]/g, (one) => escapes[one] ?? one)}"`
}

interface Calendar {
  readonly name: string
  readonly times: readonly string[]
}

/** The messages of systemd about times; undefined for a time that it accepts. A time that the timer has already is not checked again. */
const calendarErrors = batchRead<Calendar, readonly (string | undefined)[]>({
  name: 'calendar',
  dependsOn: () => [],
  shared: true,
  script: (timers) =>
    joinLines(
      timers.flatMap(({ name, times }) =>
        times.map(
          (time) => sh`known=
if [ -r ${`/etc/systemd/system/${name}.timer`} ]; then while IFS= read -r line; do [ "$line" != ${`OnCalendar=${time}`} ] || known=yes; done <${`/etc/systemd/system/${name}.timer`}; fi
if [ "$known" ] || error=$(systemd-analyze calendar -- ${time} 2>&1 >/dev/null); then echo; else printf '%s\\n' "$error" | head -n 1; fi`,
        ),
      ),
    ),
  parse: ({ stdout }, timers) => {
    const lines = stdout.split('\n')
    return timers.map(({ times }) => times.map(() => lines.shift() || undefined))
  },
  fakeValue: (_host, { times }) => times.map(() => undefined),
})

/** Rejects a time that systemd does not accept. Changes nothing itself. */
const calendarStep = resource<Calendar, readonly (string | undefined)[]>('calendar', {
  id: ({ name, times }) => `of ${name}: ${times.join(', ')}`,
  affects: 'itself',
  canWaitForPackages: true,
  read: (calendar) => calendarErrors(calendar),
  diff: ({ times }, errors) => {
    const wrong = errors.findIndex((error) => error !== undefined)
    if (wrong === -1) return undefined
    throw new Problem(`systemd does not accept the time "${times[wrong]}"`, {
      details: [errors[wrong] ?? ''],
      next: 'Correct at; systemd.time(7) describes the format. It differs from that of cron.',
    })
  },
  apply: () => [],
})

const absentStep = resource<{ readonly name: string }, readonly [readonly (Entry | undefined)[], readonly Unit[]]>(
  'timer',
  {
    id: ({ name }) => name,
    sets: ({ name }) => [
      ...filesOf(name).map((path) => ({ type: 'path', name: path })),
      ...unitsOf(name).map((unit) => ({ type: 'unit', name: unit })),
    ],
    canWaitForPackages: true,
    read: ({ name }) =>
      readBoth(readAll(filesOf(name).map((path) => entryAt({ path }))), readAll(unitsOf(name).map(unitState))),
    diff: ({ name }, [files, units]) => {
      const fields = filesOf(name).flatMap((path, i) =>
        files[i] ? [{ name: path, from: files[i].type, to: 'absent' }] : [],
      )
      const running = unitsOf(name).flatMap((one, i) =>
        units[i]?.active ? [{ name: one, from: 'running', to: 'stopped' }] : [],
      )
      return fields.length + running.length === 0 ? undefined : { action: 'remove', fields: [...running, ...fields] }
    },
    apply: ({ name }) => [
      sh`systemctl disable -q --now ${`${name}.timer`} 2>/dev/null
systemctl stop ${`${name}.service`} 2>/dev/null
for path in ${filesOf(name)}; do [ ! -e "$path" ] && [ ! -L "$path" ] || { ${moveToRemoved(sh`"$path"`)}; } || exit; done
systemctl daemon-reload
systemctl reset-failed ${unitsOf(name)} 2>/dev/null
:`,
    ],
    simulate: ({ name }, host) => {
      for (const path of filesOf(name)) removePath(host, path)
      for (const one of unitsOf(name)) host.units.delete(one)
    },
  },
)

function unitsOf(name: string): readonly string[] {
  return [`${name}.timer`, `${name}.service`]
}

function filesOf(name: string): readonly string[] {
  return unitsOf(name).map((one) => `/etc/systemd/system/${one}`)
}
