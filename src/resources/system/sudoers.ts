import type { Step, StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkName } from '../arguments.ts'
import { absent } from '../files/absent.ts'
import { file } from '../files/file.ts'
import { transaction } from '../transaction/transaction.ts'

/**
 * Rules of sudo in `/etc/sudoers.d/NAME`. `visudo -c` checks all rules of the host with the new ones before they are in place: a mistake
 * never locks anyone out of sudo. The package sudo must be installed.
 *
 * `sudoers.absent(name)` removes them, after the same check.
 *
 * @param name the name of the file; sudo ignores names with a dot and those that end with `~`
 * @param rules one per line
 * @throws TypeError for a name that sudo ignores, and for empty rules
 * @example sudoers('deploy', 'deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart app\n')
 */
export function sudoers(name: string, rules: string, options: Omit<StepOptions, 'notify'> = {}): Step {
  checkSudoersName(name)
  if (rules.trim() === '') throw new TypeError(`sudoers ${name}: the rules are empty: use sudoers.absent`)
  const content = rules.endsWith('\n') ? rules : `${rules}\n`
  return checkedRules(name, file(`/etc/sudoers.d/${name}`, content, { mode: '0440' }), options)
}

sudoers.absent = (name: string, options: Omit<StepOptions, 'notify'> = {}): Step => {
  checkSudoersName(name)
  return checkedRules(name, absent(`/etc/sudoers.d/${name}`), options)
}

function checkSudoersName(name: string): void {
  checkName('sudoers: the name', name)
  if (/\.|~$/.test(name)) throw new TypeError(`sudoers: sudo ignores files with a name like "${name}"`)
}

function checkedRules(name: string, step: Step, options: Omit<StepOptions, 'notify'>): Step {
  const checked = transaction(name, [step], { validate: VALIDATE })
  return Object.freeze({
    ...checked,
    kind: 'sudoers',
    affects: 'itself',
    tags: options.tags ?? [],
    ...timed(checked, options),
  })
}

const VALIDATE = sh`command -v visudo >/dev/null || { echo 'The package sudo is not installed: put pkg("sudo") before this step.'; exit 1; }
visudo -c`

function timed({ apply }: Step, { timeout }: StepOptions): Partial<Step> {
  if (timeout === undefined) return {}
  return { apply: (have) => apply(have).map((command) => ({ ...command, timeout })) }
}
