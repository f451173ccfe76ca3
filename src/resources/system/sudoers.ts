import { Problem } from '../../model/problem.ts'
import { type Read, readAll } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkName } from '../arguments.ts'
import { absent } from '../files/absent.ts'
import { file } from '../files/file.ts'
import { type ReplacingStep, transaction } from '../transaction/transaction.ts'
import { type SudoAccess, type SudoRight, sudoAccess } from './sudo-access.ts'

/**
 * Rules of sudo in `/etc/sudoers.d/NAME`. `visudo -c` checks all rules of the host with the new ones before they are in place: a mistake
 * never locks anyone out of sudo. The package sudo must be installed.
 *
 * A change after which the user of this connection can no longer become root, or only with a password, is rejected: the next run could not
 * become root.
 *
 * `sudoers.absent(name)` removes them, after the same checks.
 *
 * @param name the name of the file; sudo ignores names with a dot and those that end with `~`
 * @param rules one per line
 * @throws TypeError for a name that sudo ignores, and for empty rules
 * @throws Problem (on the host) for a change that takes sudo away from the user of this connection
 * @example sudoers('deploy', 'deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart app\n')
 */
export function sudoers(name: string, rules: string, options: Omit<StepOptions, 'notify'> = {}): Step {
  checkSudoersName(name)
  if (rules.trim() === '') throw new TypeError(`sudoers ${name}: the rules are empty: use sudoers.absent`)
  const content = rules.endsWith('\n') ? rules : `${rules}\n`
  return checkedRules(name, content, file(`/etc/sudoers.d/${name}`, content, { mode: '0440' }), options)
}

sudoers.absent = (name: string, options: Omit<StepOptions, 'notify'> = {}): Step => {
  checkSudoersName(name)
  return checkedRules(name, undefined, absent(`/etc/sudoers.d/${name}`), options)
}

function checkSudoersName(name: string): void {
  checkName('sudoers: the name', name)
  if (/\.|~$/.test(name)) throw new TypeError(`sudoers: sudo ignores files with a name like "${name}"`)
}

function checkedRules(
  name: string,
  content: string | undefined,
  step: ReplacingStep,
  options: Omit<StepOptions, 'notify'>,
): Step {
  return sudoersStep({ name, content, step, change: transaction(name, [step], { validate: VALIDATE }) }, options)
}

const VALIDATE = sh`command -v visudo >/dev/null || { echo 'The package sudo is not installed: put pkg("sudo") before this step.'; exit 1; }
visudo -c`

interface SudoersParams {
  readonly name: string
  readonly content: string | undefined
  readonly step: ReplacingStep
  /** Replaces the file after the check by visudo. */
  readonly change: Step
}

/** The state of the file, and the right of the user of this connection. */
type SudoersState = readonly [unknown, SudoAccess | undefined]

const sudoersStep = resource<SudoersParams, SudoersState>('sudoers', {
  id: ({ name }) => name,
  affects: 'itself',
  canWaitForPackages: true,
  read: ({ name, content, step }) =>
    // The list has the answers in the order of the questions.
    readAll<unknown>([step.read, sudoAccess({ name, content })]) as Read<SudoersState>,
  diff: ({ change }, [file, access]) => {
    const difference = change.diff([file])
    if (difference && access && ORDER.indexOf(access.after) < ORDER.indexOf(access.now)) throw lockedOut(access)
    return difference
  },
  apply: ({ change }, [file]) => change.apply([file]),
  parts: ({ step }) => [step],
  simulate: ({ change }, host) => change.simulate?.(host),
})

const ORDER: readonly SudoRight[] = ['none', 'with a password', 'without a password']

function lockedOut({ user, now, after }: SudoAccess): Problem {
  return new Problem(
    after === 'none'
      ? `${user}, the user of this connection, could no longer become root by sudo`
      : `${user}, the user of this connection, could become root only with a password`,
    {
      details: [`sudo to root now: ${now}`, `sudo to root with the change: ${after}`],
      next: `Keep a rule such as "${user} ALL=(ALL) NOPASSWD: ALL", or add it in a step before this one. Nothing was changed.`,
    },
  )
}
