import { Problem } from '../../model/problem.ts'
import { readBoth } from '../../model/resource/read.ts'
import type { Step, StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkName } from '../files/check-path.ts'
import { file } from '../files/file.ts'
import { baseName } from '../files/staging.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { needsReload } from './unit-reload.ts'
import { isStale } from './unit-state.ts'

/**
 * A unit file of systemd, which systemd knows as soon as it is written.
 *
 * @param name with its ending: `notes.service`
 * @throws TypeError for a name that cannot be
 * @example unit('app.service', '[Service]\nExecStart=/srv/app/run\n', { notify: restarted('app') })
 */
export function unit(name: `${string}.${string}`, content: string, options: StepOptions = {}): Step {
  checkName('unit: the name', name)
  return unitFile(name, `/etc/systemd/system/${name}`, content, options)
}

/**
 * A drop-in that changes a unit of a package. What it changes is in force after a restart: `notify: restarted(…)`.
 *
 * @throws TypeError for names that cannot be
 * @example dropIn('haproxy.service', 'limits', '[Service]\nLimitNOFILE=40000\n')
 */
export function dropIn(
  unitName: `${string}.${string}`,
  name: string,
  content: string,
  options: StepOptions = {},
): Step {
  checkName('dropIn: the unit', unitName)
  checkName(`dropIn for ${unitName}: the name`, name)
  return unitFile(unitName, `/etc/systemd/system/${unitName}.d/${name}.conf`, content, options)
}

/** The file, and whether systemd goes on with another definition: a run may have ended before it was told. */
function unitFile(name: string, path: AbsolutePath, content: string, options: StepOptions): Step {
  const step = file(path, content, options)
  const stateOf = (have: unknown) => {
    // Undefined on a host that has nothing yet.
    const [entry, stale]: readonly unknown[] = Array.isArray(have) ? have : []
    return { entry, stale: stale === true }
  }
  return Object.freeze({
    ...step,
    kind: 'unit',
    // A template is no unit, and has no state of one.
    read: readBoth(step.read, name.includes('@.') ? needsReload(name) : isStale(name)),
    diff: (have: unknown) => {
      const { entry, stale } = stateOf(have)
      refuseMasked(path, entry)
      const difference = step.diff(entry)
      return difference ?? (stale ? { action: 'change', fields: [STALE] } : undefined)
    },
    apply: (have: unknown) => {
      const { entry } = stateOf(have)
      const written = step.diff(entry) ? step.apply(entry) : []
      return [...written, { script: sh`systemctl daemon-reload` }]
    },
  })
}

const STALE = { name: 'definition that systemd uses', from: 'an older one', to: 'this file' }

/** A mask is an administrator's word that the unit must not start: it is not replaced as a link would be. */
function refuseMasked(path: string, have: unknown): void {
  if (typeof have !== 'object' || !have || !('target' in have) || have.target !== '/dev/null') return
  const name = baseName(path)
  throw new Problem(`${name} is masked: ${path} leads to /dev/null`, {
    next: `If it may run, remove the mask on the host: systemctl unmask ${name}`,
  })
}
