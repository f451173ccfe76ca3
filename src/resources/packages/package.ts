import { Problem } from '../../model/problem.ts'
import type { Command } from '../../model/resource/command.ts'
import type { Diff, FieldChange } from '../../model/resource/diff.ts'
import { readAll, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Duration, milliseconds } from '../../shell/duration.ts'
import { sh } from '../../shell/sh.ts'
import { absentPackages } from './absent.ts'
import { install, POLICY, prefetch } from './apt.ts'
import { explainAptError } from './apt-errors.ts'
import { packageFile } from './deb.ts'
import { type DebconfAnswers, setAnswers } from './debconf.ts'
import { type Versioning, versionChanges } from './pinned.ts'
import { rpmPackageStep } from './rpm-package.ts'
import { bare, checkPackageNames, type Installed, type PackageState, packageState, packageStepFor } from './state.ts'
import { listsUpdated } from './upgrades.ts'
import { type Available, availableVersions } from './versions.ts'

/** The options of `pkg`. */
export interface PackageOptions extends StepOptions {
  /**
   * The version, with `*` for any text: `1.22.*`; on hosts with rpm with its release, `1.22.1-9.el9`. The newest one of the sources that fits is installed. A newer installed version is not
   * replaced by an older one without `downgrade`. @default any version
   */
  readonly version?: string
  /** Allows an older version than the installed one. @default false */
  readonly downgrade?: boolean
  /**
   * The release that it comes from, with its dependencies: `bookworm-backports`. An installed version that no other release has stays.
   * @default the release that apt prefers
   */
  readonly from?: string
  /** True to keep apt from changing it, false to release it. `version` changes a package on hold, if `hold` is given. @default as it is */
  readonly hold?: boolean
  /** True to install recommended packages too. @default false */
  readonly recommends?: boolean
  /** Answers to the questions of a package, given when it is installed. Later changes have no effect on an installed package. */
  readonly debconf?: DebconfAnswers
}

/**
 * Debian packages, installed in one transaction without recommended packages; packages of later steps are installed with them where that
 * makes no difference. Services are not started, since they are not configured yet; timers are. Changed configuration files are kept.
 * A plan shows the packages that apt would remove for them; others are never removed. `pkg.absent` removes packages, `pkg.latest`
 * upgrades them, `pkg.file` installs a file. On hosts with rpm and dnf it does the same with these; `from`, `hold` and `debconf` need apt.
 *
 * @param names names of packages, `libc6:i386` or `glibc.i686` for another architecture; the last argument may be options, for all of them
 * @throws TypeError for an invalid name: apt would take `name-` as a request to remove it
 * @example
 * pkg('nginx', 'curl')
 * pkg('postgresql-16', { version: '16.4-*', hold: true })
 * pkg('cockpit', { from: 'bookworm-backports' })
 * pkg('postfix', { debconf: { 'postfix/main_mailer_type': 'Local only' } })
 */
export function pkg(...names: readonly [string, ...string[]] | readonly [string, ...string[], PackageOptions]): Step {
  const { packages, options } = split<PackageOptions>(names)
  const { version, downgrade = false, from, hold, recommends = false, debconf, ...rest } = options
  checkPackageNames('pkg', packages)
  if (version !== undefined && !VERSION.test(version))
    throw new TypeError(`pkg: "${version}" is not the version of a package, such as 1.22.1-9 or 1.22.*`)
  if (from !== undefined && !RELEASE.test(from))
    throw new TypeError(`pkg: "${from}" is not the name of a release, such as bookworm-backports`)
  const versioning = version === undefined && from === undefined ? undefined : { version, from, downgrade }
  const step = packageStep(...paramsOf({ names: packages, versioning, hold, recommends, debconf }, rest))
  return packageStepFor({ names: packages, step }, () => {
    const only = Object.entries({ from, hold, debconf }).find(([, value]) => value !== undefined)?.[0]
    if (only !== undefined) return `the option ${only} needs apt`
    const { timeout = LONGEST } = rest
    return rpmPackageStep({ names: packages, versioning, recommends, timeout }, rest)
  })
}

pkg.absent = absentPackages
pkg.file = packageFile
pkg.latest = latestPackages

/**
 * The newest versions that the sources of the host have. The lists are updated first if they are older than an hour, so a plan then marks
 * the packages with `?`.
 *
 * @param names as for `pkg`
 * @throws TypeError for an invalid name
 * @example pkg.latest('ca-certificates', 'tzdata')
 */
function latestPackages(
  ...names: readonly [string, ...string[]] | readonly [string, ...string[], StepOptions]
): readonly Step[] {
  const { packages, options } = split<StepOptions>(names)
  checkPackageNames('pkg.latest', packages)
  const versioning = { latest: true, downgrade: false } as const
  const step = packageStep(...paramsOf({ names: packages, versioning }, options))
  const { timeout = LONGEST } = options
  return [
    listsUpdated(),
    packageStepFor({ names: packages, step }, () =>
      rpmPackageStep({ names: packages, versioning, recommends: false, timeout }, options),
    ),
  ]
}

/** Debian Policy 5.6.12, with `*`. */
const VERSION = /^[0-9*][A-Za-z0-9.+~:*-]*$/

const RELEASE = /^[A-Za-z0-9][A-Za-z0-9.+~-]*$/

const LONGEST = '30m'

/** Seconds to wait for other package managers. */
const LOCK_TIMEOUT = 600

interface PackageParams {
  readonly names: readonly string[]
  readonly timeout: Duration
  readonly versioning?: Versioning | undefined
  readonly hold?: boolean | undefined
  readonly recommends?: boolean
  readonly debconf?: DebconfAnswers | undefined
}

function split<O>(given: readonly (string | O)[]): { readonly packages: readonly string[]; readonly options: O } {
  const last = given.at(-1)
  return {
    packages: given.filter((name) => typeof name === 'string'),
    options: typeof last === 'object' ? last : ({} as O),
  }
}

function paramsOf(
  params: Omit<PackageParams, 'timeout'>,
  { timeout = LONGEST, ...options }: StepOptions,
): [PackageParams, StepOptions] {
  return [{ ...params, timeout }, options]
}

type Have = readonly [PackageState, readonly Available[]]

const packageStep = resource<PackageParams, Have>('package', {
  id: ({ names }) => names.join(', '),
  sets: ({ names }) => names.map((name) => ({ type: 'package', name: bare(name) })),
  read: ({ names, versioning }) =>
    readBoth(packageState({ names, wish: 'install' }), readAll(versioning ? names.map(availableVersions) : [])),
  diff: (params, have): Diff | undefined => {
    const fields = [...packageFields(params, have), ...removedFields(have)]
    const installs = missing(params, have).length > 0 || versionsOf(params, have).length > 0
    const action = installs ? 'install' : fields.length > 0 ? 'change' : 'remove'
    if (have[0].packages.some(({ guarded }) => guarded)) fields.push(STALE_POLICY)
    return fields.length === 0 ? undefined : { action, fields }
  },
  apply: (params, have) => {
    const [{ packages }] = have
    const { names, hold } = params
    const marks = names.filter((_name, i) => packages[i]?.automatic && isThere(packages[i]))
    const words = [...missing(params, have), ...versionsOf(params, have)]
    const installs = words.length > 0 || packages.some(({ guarded }) => guarded)
    const held = names.filter((_name, i) => packages[i]?.held)
    const releases = hold === undefined ? [] : hold ? words.map(bareWord).filter((name) => held.includes(name)) : held
    const holds = hold ? names.filter((name, i) => !packages[i]?.held || releases.includes(name)) : []
    return [
      ...(releases.length > 0 ? [{ script: sh`apt-mark -qq unhold ${releases}` }] : []),
      ...(installs ? [installCommand(params, have)] : []),
      ...(marks.length > 0 ? [{ script: sh`apt-mark -qq manual ${marks}` }] : []),
      ...(holds.length > 0 ? [{ script: sh`apt-mark -qq hold ${holds}` }] : []),
    ]
  },
  simulate: ({ names, versioning, hold }, { packages, values }) => {
    for (const name of names) {
      packages.add(bare(name))
      if (versioning?.version !== undefined) values.set(`version of ${bare(name)}`, versioning.version)
      if (hold !== undefined) values.set(`hold of ${bare(name)}`, String(hold))
    }
  },
  pool: {
    name: 'packages',
    items: (params, have) => (isPlain(params, have) ? missing(params, have) : undefined),
    apply: (names) => [poolCommand(names)],
    prefetch: prefetch,
  },
})

/** @throws Problem for a package on hold that should change, and for a version that cannot be installed */
function packageFields(params: PackageParams, [{ packages }, available]: Have): FieldChange[] {
  const { names, hold, versioning } = params
  const changes = versionChanges(names, packages, available, versioning)
  const held = names.filter((name, i) => packages[i]?.held && (!isThere(packages[i]) || changes.has(name)))
  if (held.length > 0 && hold === undefined)
    throw new Problem(`${held.join(', ')}: on hold, so apt does not install it`, {
      next: `Release it on the host: apt-mark unhold ${held.join(' ')}`,
    })
  return names.flatMap((name, i) => {
    const one = packages[i]
    const change = changes.get(name)
    const state: FieldChange[] = !isThere(one)
      ? [{ name, ...(one?.state && { from: one.state }), to: change?.to ?? 'installed' }]
      : change
        ? [{ name, from: one?.version ?? 'installed', to: change.to }]
        : one?.automatic
          ? [{ name, from: 'automatic', to: 'manual' }]
          : []
    const holds = hold !== undefined && (one?.held ?? false) !== hold
    return holds ? [...state, { name: `hold of ${name}`, from: String(!hold), to: String(hold) }] : state
  })
}

/** The packages that apt would remove. */
function removedFields([{ others }]: Have): readonly FieldChange[] {
  return (others?.removed ?? []).map((name) => ({ name, from: 'installed', to: 'removed' }))
}

const STALE_POLICY: FieldChange = { name: POLICY, from: 'left by an interrupted run', to: 'absent' }

/** True if the step may share an installation with others. */
function isPlain(params: PackageParams, [{ packages, others }]: Have): boolean {
  const { timeout, versioning, hold, recommends, debconf } = params
  const isSpecial = [versioning, hold, debconf].some((option) => option !== undefined) || recommends
  return !isSpecial && timeout === LONGEST && !packages.some(({ automatic }) => automatic) && !others?.removed.length
}

/** The names that are missing, without those of {@link versionsOf}. */
function missing(params: PackageParams, have: Have): readonly string[] {
  const { names, versioning } = params
  const changes = versionChanges(names, have[0].packages, have[1], versioning)
  return names.filter((name, i) => !isThere(have[0].packages[i]) && !changes.has(name))
}

/** The packages whose version changes, as apt takes them: `nginx=1.22.1-9`. */
function versionsOf({ names, versioning }: PackageParams, [{ packages }, available]: Have): readonly string[] {
  return [...versionChanges(names, packages, available, versioning).values()].map(({ word }) => word)
}

function isThere(one: Installed | undefined): boolean {
  return one?.version !== undefined || one?.provider !== undefined
}

function bareWord(word: string): string {
  return word.replace(/=.*/, '')
}

function installCommand(params: PackageParams, have: Have): Command {
  const { timeout, versioning, recommends, debconf } = params
  const words = [...missing(params, have), ...versionsOf(params, have)]
  const names = words.map(bareWord)
  const options = [
    ...(recommends ? ['--install-recommends'] : []),
    ...(versioning?.from === undefined ? [] : ['-t', versioning.from]),
    ...(versioning?.downgrade ? ['--allow-downgrades'] : []),
  ]
  const answers = debconf && missing({ ...params, versioning: undefined }, have).length > 0 ? debconf : undefined
  return {
    script: install({
      names,
      words,
      lockTimeout: Math.max(1, Math.min(LOCK_TIMEOUT, Math.floor(milliseconds(timeout) / 1000) - 2)),
      options,
      removes: (have[0].others?.removed.length ?? 0) > 0,
      ...(answers && { before: sh`debconf-set-selections` }),
    }),
    ...(answers && { input: setAnswers(params.names[0] ?? '', answers) }),
    timeout,
    reportsProgress: true,
    explain: (stderr) => explainAptError(stderr, names),
  }
}

function poolCommand(names: readonly string[]): Command {
  return {
    script: install({ names, lockTimeout: LOCK_TIMEOUT }),
    timeout: LONGEST,
    reportsProgress: true,
    explain: (stderr) => explainAptError(stderr, names),
  }
}
