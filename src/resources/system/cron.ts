import { Problem } from '../../model/problem.ts'
import { read, readBoth } from '../../model/resource/read.ts'
import type { Step, StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { absent } from '../files/absent.ts'
import { file } from '../files/file.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { isAccountReference } from './account-reads.ts'

/** One line of {@link cron}. */
export interface CronJob {
  /** Five fields, `15 3 * * *`, or one of `@reboot`, `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
  readonly at: string
  /** The command, on one line. A longer one belongs in a script of its own: `file(…, { mode: '0755' })`. */
  readonly run: Shell
  /** The user that runs it. @default root */
  readonly as?: string
}

/** Options of {@link cron}. */
export interface CronOptions extends StepOptions {
  /** Variables for the jobs, such as `MAILTO`. @default a PATH with all directories of programs */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Jobs of cron, in a file of their own: `/etc/cron.d/NAME`. The step owns the whole file, so a job that is renamed or left out is gone.
 * Needs the package `cron`. For output in the journal, limits and missed runs, use `timer`.
 *
 * @param name of the file; cron ignores names with dots
 * @throws TypeError for an invalid name, time, command or variable
 * @throws Problem (on the host) without cron, which would never run the jobs
 * @example [pkg('cron'), cron('backup', [{ at: '15 3 * * *', run: sh`backup --daily`, as: 'backup' }])]
 */
export function cron(name: string, jobs: readonly CronJob[], { env = {}, ...options }: CronOptions = {}): Step {
  const path = pathOf('cron', name)
  if (jobs.length === 0) throw new TypeError(`cron ${name}: no jobs; to remove the file, use cron.absent`)
  const step = file(path, textOf(name, jobs, env), options)
  return Object.freeze({
    ...step,
    kind: 'cron',
    read: readBoth(step.read, hasCron),
    diff: (have: unknown) => {
      const { entry, isInstalled } = stateOf(have)
      const difference = step.diff(entry)
      if (isInstalled) return difference
      const problem = new Problem('The host has no cron, so the jobs would never run', {
        next: "Add pkg('cron') before it, or use timer().",
      })
      return { ...(difference ?? { action: 'change' as const, fields: [] }), problem }
    },
    apply: (have: unknown) => step.apply(stateOf(have).entry),
  })
}

/** No file of this name in `/etc/cron.d`; an existing one is moved to `/var/lib/provision/removed`. */
cron.absent = (name: string, options: StepOptions = {}): Step => absent(pathOf('cron.absent', name), options)

function pathOf(what: string, name: string): AbsolutePath {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(name))
    throw new TypeError(
      `${what}: "${name}" is not a name of letters, digits, _ and -; cron ignores files with other names`,
    )
  return `/etc/cron.d/${name}`
}

function stateOf(have: unknown) {
  const [entry, isInstalled]: readonly unknown[] = Array.isArray(have) ? have : []
  return { entry, isInstalled: isInstalled !== false }
}

const hasCron = read(sh`[ -x /usr/sbin/cron ] || [ -x /usr/sbin/crond ]`, ({ code }) => code === 0, {
  shared: true,
  dependsOn: ['/usr/sbin/cron', '/usr/sbin/crond'],
  fakeValue: ({ packages }) => packages.has('cron'),
})

function textOf(name: string, jobs: readonly CronJob[], env: Readonly<Record<string, string>>): string {
  const variables = Object.entries({ PATH, ...env }).map(([key, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(key) || /[\n\0]/.test(value))
      throw new TypeError(`cron ${name}: ${JSON.stringify(key)} is not a variable with a value of one line`)
    // cron keeps quotes inside of a value, and removes those around it.
    return `${key}="${value}"\n`
  })
  const lines = jobs.map(({ at, run, as = 'root' }) => {
    checkTime(name, at)
    if (!isAccountReference(as)) throw new TypeError(`cron ${name}: "${as}" is not the name of a user`)
    const command = run.text.trim()
    if (command === '' || /[\n\0]/.test(command))
      throw new TypeError(`cron ${name}: the command must have one line; write a script with file() and run that`)
    // cron takes a percent sign for the end of the command.
    return `${at.trim().replace(/\s+/g, ' ')} ${as} ${command.replace(/%/g, '\\%')}\n`
  })
  return `# Made by provision: changes are lost.\n${variables.join('')}${lines.join('')}`
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The ranges of the five fields: see crontab(5). */
const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const
const NAMES = /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)$/i

/** cron ignores a whole file with one wrong time. */
function checkTime(name: string, at: string): void {
  const reject = () => {
    throw new TypeError(`cron ${name}: "${at}" is not a time such as "15 3 * * *" or @daily`)
  }
  if (/^@(?:reboot|hourly|daily|midnight|weekly|monthly|yearly|annually)$/.test(at.trim())) return
  const fields = at.trim().split(/\s+/)
  if (fields.length !== RANGES.length) reject()
  for (const [i, [least, most]] of RANGES.entries())
    for (const part of (fields[i] ?? '').split(',')) {
      const [, from = '', to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? []
      const isValue = (text: string) =>
        (i >= 3 && NAMES.test(text)) || (/^\d{1,2}$/.test(text) && Number(text) >= least && Number(text) <= most)
      if (from === '*' ? to !== undefined : !isValue(from) || (to !== undefined && !isValue(to))) reject()
      if (to !== undefined && /^\d+$/.test(from + to) && Number(to) < Number(from)) reject()
      if (step !== undefined && Number(step) < 1) reject()
      if (step !== undefined && from !== '*' && to === undefined) reject()
    }
}
