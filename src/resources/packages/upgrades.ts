import { read } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { command } from '../system/command.ts'
import { UPDATED_LATELY, updateLists, upgrade } from './apt.ts'
import { explainAptError } from './apt-errors.ts'
import { explainDnfError, METADATA_AGE, UPDATE_METADATA } from './dnf.ts'
import { packageStepFor } from './state.ts'

/**
 * Upgrades all installed packages to the newest versions of the host's sources. No package is removed, changed configuration files are
 * kept, and no service is restarted.
 *
 * @example play('upgrade', { hosts: web, serial: 1 }, () => [packageUpgrades(), reboot()])
 */
export function packageUpgrades(options: StepOptions = {}): readonly Step[] {
  return [listsUpdated(options), upgradesStep({}, options)]
}

/** Package lists that are younger than an hour. */
export function listsUpdated(options: StepOptions = {}): Step {
  const step = command('update package lists', updateLists(LOCK_TIMEOUT), {
    reportsProgress: true,
    unless: UPDATED_LATELY,
    ...options,
  })
  return packageStepFor({ names: [], step }, () =>
    command('update package lists', UPDATE_METADATA, { unless: METADATA_AGE, explain: explainDnfError, ...options }),
  )
}

/** Seconds to wait for other package managers. */
const LOCK_TIMEOUT = 600

interface Upgrade {
  readonly name: string
  readonly from: string
  readonly to: string
}

const pendingUpgrades = read(
  sh`apt-get -s -qq -o Debug::NoLocking=1 --with-new-pkgs upgrade 2>/dev/null | sed -n 's/^Inst \([^ ]*\) \[\([^]]*\)\] (\([^ ]*\).*/\1 \2 \3/p'`,
  ({ stdout }): readonly Upgrade[] =>
    stdout
      .split('\n')
      .map((line) => line.split(' '))
      .flatMap(([name = '', from = '', to]) => (to === undefined ? [] : [{ name, from, to }])),
)

const upgradesStep = resource<object, readonly Upgrade[]>('packages', {
  id: () => 'upgrades',
  platforms: ['debian'],
  read: () => pendingUpgrades,
  diff: (_params, have) => (have.length === 0 ? undefined : { action: 'install', fields: [...have] }),
  apply: () => [{ script: upgrade(LOCK_TIMEOUT), timeout: '30m', reportsProgress: true, explain: explainAptError }],
})
