import { Problem } from '../../model/problem.ts'
import type { Command } from '../../model/resource/command.ts'
import type { Diff, FieldChange } from '../../model/resource/diff.ts'
import { batchRead, readAll } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Duration, milliseconds } from '../../shell/duration.ts'
import { sh } from '../../shell/sh.ts'
import { install, POLICY, POLICY_MARKER, prefetch } from './apt.ts'
import { explainAptError } from './apt-errors.ts'

/**
 * Debian packages, installed in one transaction without recommended packages; packages of later steps are installed with them where that
 * makes no difference. Services are not started, since they are not configured yet; timers are. Changed configuration files are kept.
 *
 * @param names names of packages, `libc6:i386` for another architecture; the last argument may be options
 * @throws TypeError for an invalid name: apt would take `name-` as a request to remove it
 * @example pkg('nginx')
 */
export function pkg(...names: readonly [string, ...string[]] | readonly [string, ...string[], StepOptions]): Step {
  const given: readonly (string | StepOptions)[] = names
  const last = given.at(-1)
  const { timeout = LONGEST, ...options } = typeof last === 'object' ? last : {}
  const packages = given.filter((name) => typeof name === 'string')
  for (const name of packages)
    if (!NAME.test(name))
      throw new TypeError(`pkg: "${name}" is not the name of a package, such as nginx or libc6:i386`)
  return packageStep({ names: packages, timeout }, options)
}

/** Debian Policy 5.6.1, and an architecture. */
const NAME = /^[a-z0-9](?:[a-z0-9+.-]*[a-z0-9+.])?(?::[a-z0-9-]+)?$/

const LONGEST = '30m'

/** Seconds to wait for other package managers. */
const LOCK_TIMEOUT = 600

interface Installed {
  /** Undefined if it is not installed, or not completely. */
  readonly version: string | undefined
  /** The state after an interrupted transaction: `half-configured`. */
  readonly state: string | undefined
  /** True if a killed run has left the file that prevents starting services. */
  readonly guarded: boolean
  /** True if it was installed as a dependency, so that `apt autoremove` may remove it. */
  readonly automatic: boolean
  /** True if it is on hold: apt neither installs nor upgrades it. */
  readonly held: boolean
  /** The installed package that provides it, if it is virtual. */
  readonly provider: string | undefined
}

/** One `dpkg-query` and one `grep` for all packages of a host. If some are missing, another `dpkg-query` finds their providers. */
const installed = batchRead<string, Installed>({
  name: 'packages',
  dependsOn: () => ['/var/lib/dpkg', '/var/lib/apt', POLICY],
  shared: true,
  // The file exists only with foreign architectures; its first line is the native one.
  script: (names) => sh`
dpkg-query -W -f ${'${db:Status-Abbrev}|${Package}|${Architecture}|${Version}\n'} -- ${names} 2>/dev/null
lacks=
for name in ${names.map(bare)}; do
  for list in /var/lib/dpkg/info/$name.list /var/lib/dpkg/info/$name:*.list; do [ ! -e "$list" ] || continue 2; done
  lacks=1
done
[ -z "$lacks" ] || dpkg-query -W -f ${'${db:Status-Abbrev}|${Package}|provides|${Provides}|\n'} | grep -E ${`^.i.*[|, ](${names.map(escaped).join('|')})( \\(|,|\\|)`}
grep -sxF -A 2 ${names.flatMap((name) => ['-e', `Package: ${bare(name)}`])} /var/lib/apt/extended_states
[ ! -s /var/lib/dpkg/arch ] || { read -r native </var/lib/dpkg/arch; echo "native|$native"; }
[ ! -e ${POLICY} ] || ! grep -qs ${POLICY_MARKER} ${POLICY} || echo guarded`,
  parse: ({ stdout }, names) => {
    const lines = stdout.split('\n')
    const rows = lines.map((line) => line.split('|'))
    const native = rows.find(([first]) => first === 'native')?.[1]
    const guarded = rows.some(([first]) => first === 'guarded')
    return names.map((requested) => {
      const [name = '', wanted = native] = requested.split(':')
      const fits = ([, its, architecture]: readonly string[]) =>
        its === name && (wanted === undefined || wanted === 'any' || [wanted, 'all'].includes(architecture ?? ''))
      // The first letter is the desired state: `hi` is on hold and installed.
      const found = rows.filter((row) => row.length === 4 && fits(row))
      const version = found.find(([status]) => status?.[1] === 'i')?.[3]
      const state = found.map(([status]) => STATES[status?.[1] ?? '']).find((one) => one !== undefined)
      const held = found.some(([status]) => status?.[0] === 'h')
      const provider = version === undefined ? providerOf(name, rows) : undefined
      return { version, state, guarded, automatic: isAutomatic(name, wanted, lines), held, provider }
    })
  },
  fakeValue: ({ packages }, name) => ({
    version: packages.has(bare(name)) ? '1' : undefined,
    state: undefined,
    guarded: false,
    automatic: false,
    held: false,
    provider: undefined,
  }),
})

/** Finds a package that provides the name in rows such as `exim4|provides|mail-transport-agent, default-mta (= 4)`. */
function providerOf(name: string, rows: readonly (readonly string[])[]): string | undefined {
  return rows.find(
    ([status, , kind, provides = '']) =>
      kind === 'provides' &&
      status?.[1] === 'i' &&
      provides.split(',').some((one) => one.replace(/\(.*/, '').trim() === name),
  )?.[1]
}

/** From the list of apt: `Package: NAME`, `Architecture: ARCH`, `Auto-Installed: 1`. */
function isAutomatic(name: string, architecture: string | undefined, lines: readonly string[]): boolean {
  return lines.some(
    (line, i) =>
      line === `Package: ${name}` &&
      lines[i + 2] === 'Auto-Installed: 1' &&
      (architecture === undefined || architecture === 'any' || lines[i + 1] === `Architecture: ${architecture}`),
  )
}

function escaped(name: string): string {
  return bare(name).replace(/[.+]/g, '\\$&')
}

function bare(name: string): string {
  return name.replace(/:.*/, '')
}

const STATES: Readonly<Record<string, string>> = {
  U: 'unpacked only',
  F: 'half-configured',
  H: 'half-installed',
  W: 'awaiting triggers',
  t: 'awaiting triggers',
}

interface PackageParams {
  readonly names: readonly string[]
  readonly timeout: Duration
}

const packageStep = resource<PackageParams, readonly Installed[]>('package', {
  id: ({ names }) => names.join(', '),
  read: ({ names }) => readAll(names.map(installed)),
  diff: ({ names }, have): Diff | undefined => {
    const held = names.filter((_name, i) => have[i]?.held && !isThere(have[i]))
    if (held.length > 0)
      throw new Problem(`${held.join(', ')}: on hold, so apt does not install it`, {
        next: `Release it on the host: apt-mark unhold ${held.join(' ')}`,
      })
    const fields: FieldChange[] = names.flatMap((name, i) => {
      if (!isThere(have[i])) return [{ name, ...(have[i]?.state && { from: have[i].state }), to: 'installed' }]
      return have[i]?.automatic ? [{ name, from: 'automatic', to: 'manual' }] : []
    })
    const action = missing({ names }, have).length > 0 ? 'install' : fields.length > 0 ? 'change' : 'remove'
    if (have.some(({ guarded }) => guarded)) fields.push(STALE_POLICY)
    return fields.length === 0 ? undefined : { action, fields }
  },
  apply: (params, have) => {
    const marks = params.names.filter((_name, i) => have[i]?.automatic && isThere(have[i]))
    const lacks = missing(params, have)
    const installs = lacks.length > 0 || have.some(({ guarded }) => guarded)
    return [
      ...(installs ? [installCommand(lacks, params.timeout)] : []),
      ...(marks.length > 0 ? [{ script: sh`apt-mark -qq manual ${marks}` }] : []),
    ]
  },
  simulate: ({ names }, { packages }) => {
    for (const name of names) packages.add(bare(name))
  },
  pool: {
    name: 'packages',
    items: (params, have) =>
      params.timeout === LONGEST && !have.some(({ automatic }) => automatic) ? missing(params, have) : undefined,
    apply: (names) => [installCommand(names, LONGEST)],
    prefetch: prefetch,
  },
})

const STALE_POLICY: FieldChange = { name: POLICY, from: 'left by an interrupted run', to: 'absent' }

function missing({ names }: Pick<PackageParams, 'names'>, have: readonly Installed[]): readonly string[] {
  return names.filter((_name, i) => !isThere(have[i]))
}

function isThere(one: Installed | undefined): boolean {
  return one?.version !== undefined || one?.provider !== undefined
}

function installCommand(names: readonly string[], timeout: Duration): Command {
  const lockTimeout = Math.max(1, Math.min(LOCK_TIMEOUT, Math.floor(milliseconds(timeout) / 1000) - 2))
  return {
    script: install(names, lockTimeout),
    timeout,
    reportsProgress: true,
    explain: (stderr) => explainAptError(stderr, names),
  }
}
