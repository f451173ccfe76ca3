import { Problem } from '../../model/problem.ts'
import { readBoth } from '../../model/resource/read.ts'
import type { Step, StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { checkName } from '../arguments.ts'
import { file } from '../files/file.ts'
import { baseName } from '../files/staging.ts'
import type { AbsolutePath } from '../files/stat.ts'
import { needsReload } from './unit-state.ts'

/**
 * A unit file; systemd is reloaded after a change.
 *
 * @param name the full name: `app.service`
 * @throws TypeError for an invalid name
 * @example unit('app.service', '[Service]\nExecStart=/srv/app/run\n', { notify: restarted('app') })
 */
export function unit(name: `${string}.${string}`, content: string, options: StepOptions = {}): Step {
  checkName('unit: the name', name)
  return unitFile(name, `/etc/systemd/system/${name}`, content, options)
}

/**
 * A drop-in for a unit. Services use the change after a restart: `notify: restarted(…)`.
 *
 * @throws TypeError for an invalid name
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

/** The file, and the definition that systemd uses: an earlier run may have ended before the reload. */
function unitFile(name: string, path: AbsolutePath, content: string, options: StepOptions): Step {
  const step = file(path, content, options)
  const stateOf = (have: unknown) => {
    // Undefined on a new host.
    const [entry, stale]: readonly unknown[] = Array.isArray(have) ? have : []
    return { entry, stale: stale === true }
  }
  return Object.freeze({
    ...step,
    kind: 'unit',
    sets: [...(step.sets ?? []), { type: 'unit', name }],
    read: readBoth(step.read, needsReload(name)),
    diff: (have: unknown) => {
      const { entry, stale } = stateOf(have)
      assertNotMasked(path, entry)
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

const STALE = { name: 'loaded definition', from: 'outdated', to: 'this file' }

/** A mask is a link to /dev/null. Unlike other links it is not replaced: an administrator has disabled the unit. */
function assertNotMasked(path: string, have: unknown): void {
  if (typeof have !== 'object' || !have || !('target' in have) || have.target !== '/dev/null') return
  const name = baseName(path)
  throw new Problem(`${name} is masked: ${path} leads to /dev/null`, {
    next: `To allow it, remove the mask on the host: systemctl unmask ${name}`,
  })
}
