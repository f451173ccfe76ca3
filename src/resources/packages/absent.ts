import { Problem } from '../../model/problem.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { remove } from './apt.ts'
import { explainAptError } from './apt-errors.ts'
import { rpmAbsentStep } from './rpm-package.ts'
import { bare, checkPackageNames, type Installed, type PackageState, packageState, packageStepFor } from './state.ts'

interface AbsentOptions extends StepOptions {
  /** Removes configuration files and data that the packages know of, too. @default false */
  readonly purge?: boolean
}

/**
 * Packages that are not installed. Their services are stopped. If apt would remove or install other packages, the step is refused, and the
 * message names them. Dependencies that nothing needs any longer stay.
 *
 * @param names as for `pkg`; the last argument may be options
 * @throws TypeError for an invalid name
 * @example pkg.absent('apache2', 'apache2-bin', { purge: true })
 */
export function absentPackages(
  ...names: readonly [string, ...string[]] | readonly [string, ...string[], AbsentOptions]
): Step {
  const given: readonly (string | AbsentOptions)[] = names
  const last = given.at(-1)
  const { purge = false, ...options } = typeof last === 'object' ? last : {}
  const packages = given.filter((name) => typeof name === 'string')
  checkPackageNames('pkg.absent', packages)
  const step = absentStep({ names: packages, wish: purge ? 'purge' : 'remove' }, options)
  return packageStepFor({ names: packages, step }, () =>
    purge
      ? 'the option purge needs dpkg'
      : rpmAbsentStep({ names: packages, timeout: options.timeout ?? '30m' }, options),
  )
}

interface AbsentParams {
  readonly names: readonly string[]
  readonly wish: 'remove' | 'purge'
}

/** Seconds to wait for other package managers. */
const LOCK_TIMEOUT = 600

const absentStep = resource<AbsentParams, PackageState>('absent package', {
  id: ({ names }) => names.join(', '),
  sets: ({ names }) => names.map((name) => ({ type: 'package', name })),
  read: (params) => packageState(params),
  diff: ({ names, wish }, { packages, others }) => {
    const present = presentIn({ names, wish }, packages)
    if (present.length === 0) return undefined
    refuse(present, packages, names)
    const besides = [...(others?.removed ?? []), ...(others?.installed ?? [])]
    if (others === undefined || besides.length > 0)
      throw new Problem(
        others
          ? `the removal of ${present.join(', ')} changes other packages, too`
          : `apt cannot remove ${present.join(', ')}`,
        {
          details: [
            ...(others?.removed ?? []).map((name) => `${name}: would be removed`),
            ...(others?.installed ?? []).map((name) => `${name}: would be installed in its place`),
          ],
          next: others
            ? 'Add those to pkg.absent() that may be removed, or install the replacement in a step before this one.'
            : `See the reason on the host: apt-get -s ${wish} ${present.join(' ')}`,
        },
      )
    return {
      action: 'remove',
      fields: present.map((name) => ({ name, from: stateOf(packages[names.indexOf(name)]), to: 'absent' })),
    }
  },
  apply: (params, { packages }) => [
    {
      script: remove(presentIn(params, packages), params.wish, LOCK_TIMEOUT),
      timeout: '30m',
      reportsProgress: true,
      explain: (stderr) => explainAptError(stderr),
    },
  ],
  simulate: ({ names }, { packages }) => {
    for (const name of names) packages.delete(bare(name))
  },
})

function presentIn({ names, wish }: AbsentParams, packages: readonly Installed[]): readonly string[] {
  return names.filter((_name, i) => {
    const one = packages[i]
    const isInstalled = one?.version !== undefined || one?.state !== undefined
    return isInstalled || (wish === 'purge' && (one?.hasConfiguration ?? false))
  })
}

function refuse(present: readonly string[], packages: readonly Installed[], names: readonly string[]): void {
  const some = (is: (one: Installed) => boolean) =>
    present.filter((name) => {
      const one = packages[names.indexOf(name)]
      return one !== undefined && is(one)
    })
  const essential = some((one) => one.essential)
  if (essential.length > 0)
    throw new Problem(`${essential.join(', ')}: Debian does not work without it`, {
      next: 'Take it out of pkg.absent().',
    })
  const held = some((one) => one.held)
  if (held.length > 0)
    throw new Problem(`${held.join(', ')}: on hold, so apt does not remove it`, {
      next: `Release it on the host: apt-mark unhold ${held.join(' ')}`,
    })
}

function stateOf(one: Installed | undefined): string {
  return one?.version ?? one?.state ?? 'configuration files'
}
