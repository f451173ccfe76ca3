import type { Platform } from '../../model/resource/facts.ts'
import type { FakeState } from '../../model/resource/fake-state.ts'
import { batchRead } from '../../model/resource/read.ts'
import type { Step } from '../../model/resource/step.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { POLICY, POLICY_MARKER } from './apt.ts'

export interface Installed {
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
  /** True if it is removed and its configuration files are left. */
  readonly hasConfiguration: boolean
  /** True if Debian does not work without it. */
  readonly essential: boolean
}

/** The packages of one step. */
export interface PackageQuery {
  readonly names: readonly string[]
  /** The change that apt simulates if the host is in another state. */
  readonly wish: 'install' | 'remove' | 'purge'
}

export interface PackageState {
  /** In the order of the names. */
  readonly packages: readonly Installed[]
  /**
   * The effects of the change on other packages. Undefined if apt could not simulate it, and for an installation without conflicts.
   */
  readonly others: Effects | undefined
}

/** Names of packages, without the native architecture. */
export interface Effects {
  readonly removed: readonly string[]
  readonly installed: readonly string[]
}

/**
 * One `dpkg-query` and one `grep` for all packages of a host. If some are missing, another `dpkg-query` finds their providers, and
 * `apt-cache` their conflicts. Only for steps with a conflicting package that is installed apt simulates the installation, which takes a
 * second of processor time.
 */
export const packageState = batchRead<PackageQuery, PackageState>({
  name: 'packages',
  dependsOn: () => ['/var/lib/dpkg', '/var/lib/apt', POLICY],
  shared: true,
  script: stateScript,
  parse: ({ stdout }, queries) => {
    const lines = stdout.split('\n')
    const rows = lines.map((line) => line.split('|'))
    const stateOf = installedIn(lines, rows)
    return queries.map((query, i) => ({ packages: query.names.map(stateOf), others: effectsIn(rows, i, query) }))
  },
  fakeValue: (host, { names }) => ({
    packages: names.map((name) => fakeState(host, name)),
    others: { removed: [], installed: [] },
  }),
})

/** The file /var/lib/dpkg/arch exists only with foreign architectures; its first line is the native one. */
function stateScript(queries: readonly PackageQuery[]): Shell {
  const names = [...new Set(queries.flatMap((query) => query.names))]
  const installing = [...new Set(queries.filter(({ wish }) => wish === 'install').flatMap((query) => query.names))]
  return sh`${FUNCTIONS}
have=$(dpkg-query -W -f ${STATUS} -- ${names} 2>/dev/null)
printf '%s\n' "$have"
lacks= clashes= nl='
'
for name in ${installing.map(bare)}; do
  case "$nl$have" in *"$nl"?i?"|$name|"*) ;; *) lacks="$lacks $name" ;; esac
done
[ -z "$lacks" ] || {
  related=$(dpkg-query -W -f ${RELATIONS} | grep -E ${`^.i.*[|, ](${installing.map(escaped).join('|')})( \\(|,|\\|)`})
  printf '%s\n' "$related"
  find_clashes
}
grep -sxF -A 2 ${names.flatMap((name) => ['-e', `Package: ${bare(name)}`])} /var/lib/apt/extended_states
[ ! -s /var/lib/dpkg/arch ] || { read -r native </var/lib/dpkg/arch; echo "native|$native"; }
[ ! -e ${POLICY} ] || ! grep -qs ${POLICY_MARKER} ${POLICY} || echo guarded
${joinLines(queries.map(effectsScript))}`
}

const RELATED: ReadonlySet<string> = new Set(['provides', 'conflicts'])

const STATUS = '${db:Status-Abbrev}|${Package}|${Architecture}|${Version}|${Essential}\n'

const RELATIONS =
  '${db:Status-Abbrev}|${Package}|provides|${Provides}|\n${db:Status-Abbrev}|${Package}|conflicts|${Conflicts}, ${Breaks}|\n'

/**
 * Defines `find_clashes`, which adds those of the missing packages to `clashes` that conflict with an installed one, in any version;
 * `simulate`, which sets `plan` to the answer of apt; and `effects`, which prints it.
 */
const FUNCTIONS = sh`
find_clashes() {
  for name in $lacks; do
    case $related in *'|conflicts|'*[\ \|]"$name"[\ ,\|]*) clashes="$clashes $name" ;; esac
  done
  IFS=$nl
  for line in $(LC_ALL=C apt-cache depends --no-pre-depends --no-depends --no-recommends --no-suggests --no-enhances --no-replaces -- $(printf '%s\n' "$lacks" | tr ' ' '\n') 2>/dev/null); do
    case $line in ' '*) name=\${line##* } name=\${name#<} name=\${name%>} ;; *) own=$line; continue ;; esac
    for list in "/var/lib/dpkg/info/$name.list" /var/lib/dpkg/info/$name:*.list; do
      [ ! -e "$list" ] || clashes="$clashes $own"
    done
  done
  unset IFS
}
simulate() { plan=$(LC_ALL=C apt-get -s -qq -o Debug::NoLocking=1 -o APT::Get::AutomaticRemove=0 "$@" 2>&1 </dev/null); }
effects() {
  printf '%s\n' "$plan" | sed -n "s/^\(Remv\|Purg\|Inst\) \([^ ]*\).*/effect|$1|\1|\2/p"
  echo "effect|$1|done|"
}`

function effectsScript({ names, wish }: PackageQuery, i: number): Shell {
  const isPresent = wish === 'purge' ? sh`?[!n]?` : sh`?[!nc]?`
  if (wish === 'install')
    return sh`[ -z "$clashes" ] || {
  some= clash=
  for name in ${names}; do
    case "$lacks " in *" \${name%%:*} "*) some="$some $name" ;; esac
    case "$clashes " in *" \${name%%:*} "*) clash=1 ;; esac
  done
  [ -z "$clash" ] || ! simulate --no-install-recommends install -- $some || effects ${i}
}`
  return sh`some=
for name in ${names}; do
  case "$nl$have" in *"$nl"${isPresent}"|\${name%%:*}|"*) some="$some $name" ;; esac
done
[ -z "$some" ] || ! simulate ${wish} -- $some || effects ${i}`
}

/** From lines such as `effect|0|Remv|mailutils`, `effect|0|done|`. */
function effectsIn(
  rows: readonly (readonly string[])[],
  at: number,
  { names, wish }: PackageQuery,
): Effects | undefined {
  const own = rows.filter(([kind, i]) => kind === 'effect' && i === String(at))
  if (own.length === 0) return undefined
  const asked = new Set(wish === 'install' ? [] : names.flatMap((name) => [name, bare(name)]))
  const of = (...kinds: readonly string[]) => [
    ...new Set(own.flatMap(([, , kind = '', name = '']) => (kinds.includes(kind) && !asked.has(name) ? [name] : []))),
  ]
  return { removed: of('Remv', 'Purg'), installed: of('Inst') }
}

function installedIn(lines: readonly string[], rows: readonly (readonly string[])[]): (requested: string) => Installed {
  const native = rows.find(([first]) => first === 'native')?.[1]
  const guarded = rows.some(([first]) => first === 'guarded')
  return (requested) => {
    const [name = '', wanted = native] = requested.split(':')
    const fits = ([, its, architecture]: readonly string[]) =>
      its === name && (wanted === undefined || wanted === 'any' || [wanted, 'all'].includes(architecture ?? ''))
    // The first letter is the desired state: `hi` is on hold and installed.
    const found = rows.filter(
      (row) => row.length >= 4 && row[0] !== 'effect' && !RELATED.has(row[2] ?? '') && fits(row),
    )
    const version = found.find(([status]) => status?.[1] === 'i')?.[3]
    return {
      version,
      state: found.map(([status]) => STATES[status?.[1] ?? '']).find((one) => one !== undefined),
      guarded,
      automatic: isAutomatic(name, wanted, lines),
      held: found.some(([status]) => status?.[0] === 'h'),
      provider: version === undefined ? providerOf(name, rows) : undefined,
      hasConfiguration: found.some(([status]) => status?.[1] === 'c'),
      essential: found.some((row) => row[4] === 'yes'),
    }
  }
}

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

/** The name without its architecture. */
export function bare(name: string): string {
  return name.replace(/:.*/, '')
}

function escaped(name: string): string {
  return bare(name).replace(/[.+]/g, '\\$&')
}

const STATES: Readonly<Record<string, string>> = {
  U: 'unpacked only',
  F: 'half-configured',
  H: 'half-installed',
  W: 'awaiting triggers',
  t: 'awaiting triggers',
}

function fakeState({ packages, values }: FakeState, name: string): Installed {
  return {
    version: packages.has(bare(name)) ? (values.get(`version of ${bare(name)}`) ?? '1') : undefined,
    state: undefined,
    guarded: false,
    automatic: false,
    held: values.get(`hold of ${bare(name)}`) === 'true',
    provider: undefined,
    hasConfiguration: false,
    essential: false,
  }
}

/** Debian Policy 5.6.1, and an architecture. */
const NAME = /^[a-z0-9](?:[a-z0-9+.-]*[a-z0-9+.])?(?::[a-z0-9-]+)?$/

/** The names of packages of rpm may have capital letters and underscores, and end with an architecture: `glibc.i686`. */
const RPM_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.+-]*[A-Za-z0-9_.+])?$/

/** @throws TypeError: apt would take `name-` as a request to remove it */
export function checkPackageNames(what: string, names: readonly string[]): void {
  for (const name of names)
    if (!NAME.test(name) && !RPM_NAME.test(name))
      throw new TypeError(`${what}: "${name}" is not the name of a package, such as nginx or libc6:i386`)
}

/** The step for the package manager of a host. @param onRedhat the step for rpm and dnf, or the reason why there is none */
export function packageStepFor(
  { names, step }: { readonly names: readonly string[]; readonly step: Step },
  onRedhat: () => Step | string,
): Step {
  return Object.freeze({
    ...step,
    forPlatform: (platform: Platform) => {
      const pattern = platform === 'debian' ? NAME : RPM_NAME
      const wrong = names.find((name) => !pattern.test(name))
      if (platform === 'other') return 'it has scripts only for apt and dnf'
      if (wrong !== undefined)
        return `${wrong} is not the name of a package of ${platform === 'debian' ? 'dpkg' : 'rpm'}`
      return platform === 'debian' ? undefined : onRedhat()
    },
  })
}
