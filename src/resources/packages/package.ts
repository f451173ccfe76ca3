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
 * Debian packages, all in one transaction, without what they recommend; those of later steps come along where that is the same. No
 * service is started by its installation: it would run before it is configured. Timers are: logs would not be rotated before the next
 * boot. Changed configuration files are kept.
 *
 * @param names and at the end, maybe, the options of a step. With an architecture where it is not the host's: `libc6:i386`
 * @throws TypeError for what is no name of a package: apt takes `name-` for its removal
 * @example pkg('nginx')
 */
export function pkg(
  ...names: readonly [string, ...string[]] | readonly [string, ...string[], StepOptions]
): Step {
  const given: readonly (string | StepOptions)[] = names
  const last = given.at(-1)
  const { timeout = LONGEST, ...options } = typeof last === 'object' ? last : {}
  const words = given.filter((name) => typeof name === 'string')
  for (const name of words)
    if (!NAME.test(name))
      throw new TypeError(`pkg: "${name}" is no name of a package: write nginx, or libc6:i386`)
  return packages({ names: words, timeout }, options)
}

/** Debian's policy, 5.6.1, and an architecture. */
const NAME = /^[a-z0-9](?:[a-z0-9+.-]*[a-z0-9+.])?(?::[a-z0-9-]+)?$/

const LONGEST = '30m'

/** Seconds to wait for other package managers, at most. */
const LOCK_TIMEOUT = 600

interface Installed {
  /** Undefined for what is not installed, or not to its end. */
  readonly version: string | undefined
  /** What it is instead, where a transaction was cut off: `half-configured`. */
  readonly state: string | undefined
  /** Whether a killed run has left the file that keeps services from being started. */
  readonly guarded: boolean
  /** Whether it came as a dependency, so that `apt autoremove` may take it away with the package that needed it. */
  readonly automatic: boolean
  /** Whether it is on hold: apt neither installs nor upgrades it. */
  readonly held: boolean
  /** The installed package that provides it, where it is only the name of a virtual package. */
  readonly provider: string | undefined
}

/**
 * One `dpkg-query` and one `grep` for all packages of a host. Only where some are not there, another looks for packages that provide
 * them.
 */
const installed = batchRead<string, Installed>({
  name: 'packages',
  dependsOn: () => ['/var/lib/dpkg', '/var/lib/apt', POLICY],
  shared: true,
  // Where there are no foreign architectures, there is no such file; the native one is its first line.
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
    const native = rows.find(([word]) => word === 'native')?.[1]
    const guarded = rows.some(([word]) => word === 'guarded')
    return names.map((asked) => {
      const [name = '', wanted = native] = asked.split(':')
      const fits = ([, its, architecture]: readonly string[]) =>
        its === name &&
        (wanted === undefined || wanted === 'any' || [wanted, 'all'].includes(architecture ?? ''))
      // The first letter is what is wanted of it: one on hold is `hi`.
      const found = rows.filter((row) => row.length === 4 && fits(row))
      const version = found.find(([status]) => status?.[1] === 'i')?.[3]
      const state = found.map(([status]) => STATES[status?.[1] ?? '']).find((word) => word !== undefined)
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

/** A row of a package with what it provides: `exim4, mail-transport-agent, default-mta (= 4)`. */
function providerOf(name: string, rows: readonly (readonly string[])[]): string | undefined {
  return rows.find(
    ([status, , kind, provides = '']) =>
      kind === 'provides' &&
      status?.[1] === 'i' &&
      provides.split(',').some((one) => one.replace(/\(.*/, '').trim() === name),
  )?.[1]
}

/** From apt's own list: `Package: NAME`, `Architecture: ARCH`, `Auto-Installed: 1`. */
function isAutomatic(name: string, architecture: string | undefined, lines: readonly string[]): boolean {
  return lines.some(
    (line, i) =>
      line === `Package: ${name}` &&
      lines[i + 2] === 'Auto-Installed: 1' &&
      (architecture === undefined ||
        architecture === 'any' ||
        lines[i + 1] === `Architecture: ${architecture}`),
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

const packages = resource<PackageParams, readonly Installed[]>('package', {
  id: ({ names }) => names.join(', '),
  read: ({ names }) => readAll(names.map(installed)),
  diff: ({ names }, have): Diff | undefined => {
    const held = names.filter((_name, i) => have[i]?.held && !isThere(have[i]))
    if (held.length > 0)
      throw new Problem(`${held.join(', ')}: on hold, so apt does not install it`, {
        next: `Release it on the host: apt-mark unhold ${held.join(' ')}`,
      })
    const fields: FieldChange[] = names.flatMap((name, i) => {
      if (!isThere(have[i]))
        return [{ name, ...(have[i]?.state && { from: have[i].state }), to: 'installed' }]
      return have[i]?.automatic ? [{ name, from: 'automatic', to: 'manual' }] : []
    })
    const action = missing({ names }, have).length > 0 ? 'install' : fields.length > 0 ? 'change' : 'remove'
    if (have.some(({ guarded }) => guarded)) fields.push(LEFTOVER_POLICY)
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
      params.timeout === LONGEST && !have.some(({ automatic }) => automatic)
        ? missing(params, have)
        : undefined,
    apply: (names) => [installCommand(names, LONGEST)],
    prefetch: prefetch,
  },
})

/** Left by a run that was killed while it installed. */
const LEFTOVER_POLICY: FieldChange = { name: POLICY, from: 'left by an interrupted run', to: 'absent' }

function missing({ names }: Pick<PackageParams, 'names'>, have: readonly Installed[]): readonly string[] {
  return names.filter((_name, i) => !isThere(have[i]))
}

function isThere(one: Installed | undefined): boolean {
  return one?.version !== undefined || one?.provider !== undefined
}

function installCommand(names: readonly string[], timeout: Duration): Command {
  const patience = Math.max(1, Math.min(LOCK_TIMEOUT, Math.floor(milliseconds(timeout) / 1000) - 2))
  return {
    script: install(names, patience),
    timeout,
    reportsProgress: true,
    explain: (stderr) => explainAptError(stderr, names),
  }
}
