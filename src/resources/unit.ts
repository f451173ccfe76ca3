import { Problem } from '../model/problem.ts'
import type { Step, StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import { file } from './file.ts'
import type { AbsolutePath } from './paths.ts'
import { nameOf } from './staging.ts'

/**
 * A unit file of systemd, which systemd knows as soon as it is written.
 *
 * @param name with its ending: `notes.service`
 * @example unit('app.service', '[Service]\nExecStart=/srv/app/run\n', { notify: restarted('app') })
 */
export function unit(name: `${string}.${string}`, content: string, options: StepOptions = {}): Step {
  return unitFile(`/etc/systemd/system/${name}`, content, options)
}

/**
 * A drop-in that changes a unit of a package. What it changes is in force after a restart: `notify: restarted(…)`.
 *
 * @example dropIn('haproxy.service', 'limits', '[Service]\nLimitNOFILE=40000\n')
 */
export function dropIn(
  unitName: `${string}.${string}`,
  name: string,
  content: string,
  options: StepOptions = {},
): Step {
  return unitFile(`/etc/systemd/system/${unitName}.d/${name}.conf`, content, options)
}

function unitFile(path: AbsolutePath, content: string, options: StepOptions): Step {
  const step = file(path, content, options)
  return Object.freeze({
    ...step,
    kind: 'unit',
    diff: (have: unknown) => {
      refuseMasked(path, have)
      return step.diff(have)
    },
    apply: (have: unknown) => [...step.apply(have), { script: sh`systemctl daemon-reload` }],
  })
}

/** A mask is an administrator's word that the unit must not start: it is not replaced as a link would be. */
function refuseMasked(path: string, have: unknown): void {
  if (typeof have !== 'object' || !have || !('target' in have) || have.target !== '/dev/null') return
  const name = nameOf(path)
  throw new Problem(`${name} is masked: ${path} leads to /dev/null`, {
    next: `If it may run, remove the mask on the host: systemctl unmask ${name}`,
  })
}
