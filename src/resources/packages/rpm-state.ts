import { batchRead } from '../../model/resource/read.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { METADATA_AGE } from './dnf.ts'
import { compareRpmVersions } from './rpm-version.ts'
import type { Available } from './versions.ts'

/** The packages of one step on a host with rpm. */
export interface RpmQuery {
  readonly names: readonly string[]
  readonly wish: 'install' | 'remove'
}

interface RpmPackage {
  /** With the epoch if it is not 0: `1:2.0-1.el9`. Undefined if it is not installed. */
  readonly version: string | undefined
  /** The installed package that provides the name. */
  readonly provider: string | undefined
}

export interface RpmState {
  /** In the order of the names. */
  readonly packages: readonly RpmPackage[]
  /** The packages that dnf would replace, or that need one to be removed, each with the reason. */
  readonly others: readonly string[]
}

/**
 * One `rpm` for all packages of a host. If some are missing, another one finds their providers, and dnf shows what their installation
 * replaces.
 */
export const rpmState = batchRead<RpmQuery, RpmState>({
  name: 'rpm packages',
  dependsOn: () => ['/var/lib/rpm', '/usr/lib/sysimage/rpm', '/etc/yum.repos.d', '/var/cache/dnf'],
  shared: true,
  script: (queries) => {
    const names = [...new Set(queries.flatMap((query) => query.names))]
    return sh`have=$(rpm -q --qf ${INSTALLED} -- ${names} 2>/dev/null)
printf '%s\n' "$have"
nl='
'
lacks=
for name in ${names}; do
  case "$nl$have" in *"$nl""installed|$name|"*|*"$nl""arch|$name$nl"*) ;; *) lacks="$lacks $name" ;; esac
done
provided=
for name in $lacks; do
  provider=$(rpm -q --whatprovides --qf '%{NAME}\n' -- "$name" 2>/dev/null) || continue
  provided="$provided $name"
  echo "provider|$name|\${provider%%$nl*}"
done
${joinLines(queries.map(effectsScript))}`
  },
  parse: ({ stdout }, queries) => {
    const rows = stdout.split('\n').map((line) => line.split('|'))
    const of = (name: string): RpmPackage => ({
      version: rows.find(
        ([kind, its, , arch]) => kind === 'installed' && (its === name || `${its}.${arch}` === name),
      )?.[2],
      provider: rows.find(([kind, its]) => kind === 'provider' && its === name)?.[2],
    })
    return queries.map(({ names }, i) => ({
      packages: names.map(of),
      others: rows.flatMap(([kind, at, ...text]) => (kind === 'other' && at === String(i) ? [text.join('|')] : [])),
    }))
  },
  fakeValue: ({ packages, values }, { names }) => ({
    packages: names.map((name) => ({
      version: packages.has(name) ? (values.get(`version of ${name}`) ?? '1-1') : undefined,
      provider: undefined,
    })),
    others: [],
  }),
})

/** The second line names the package with its architecture, as `glibc.i686`. */
const INSTALLED = 'installed|%{NAME}|%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}|%{ARCH}\narch|%{NAME}.%{ARCH}\n'

function effectsScript({ names, wish }: RpmQuery, i: number): Shell {
  if (wish === 'install')
    return sh`some=
for name in ${names}; do
  case "$lacks " in *" $name "*) case "$provided " in *" $name "*) ;; *) some="$some $name" ;; esac ;; esac
done
[ -z "$some" ] || LC_ALL=C dnf -C --assumeno --setopt=install_weak_deps=False install -- $some 2>/dev/null </dev/null | sed -n ${`s/^ *replacing *\\([^ ]*\\)\\.[^ .]* .*/other|${i}|\\1/p`}`
  return sh`some=
for name in ${names}; do case "$lacks " in *" $name "*) ;; *) some="$some $name" ;; esac; done
[ -z "$some" ] || LC_ALL=C rpm -e --test -- $some 2>&1 </dev/null | sed -n ${`s/^\t\\(.* is needed by .*\\)/other|${i}|\\1/p`}`
}

/** The installed versions, and those of the repositories: one `dnf repoquery` for all packages of a host, without the network. */
export const rpmVersions = batchRead<string, Available>({
  name: 'versions of rpm packages',
  dependsOn: () => ['/var/lib/rpm', '/usr/lib/sysimage/rpm', '/etc/yum.repos.d', '/var/cache/dnf'],
  shared: true,
  script: (names) => sh`! ${METADATA_AGE} || echo fresh
rpm -q --qf ${'available|%{NAME}|%|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}|%{ARCH}|\n'} -- ${names} 2>/dev/null
LC_ALL=C dnf -C -q repoquery --show-duplicates --qf ${'available|%{name}|%{epoch}:%{version}-%{release}|%{arch}|%{repoid}'} -- ${names} 2>/dev/null </dev/null`,
  parse: ({ stdout }, names) => {
    const lines = stdout.split('\n')
    const rows = lines.map((line) => line.split('|')).filter(([kind]) => kind === 'available')
    return names.map((name) => {
      const versions = new Map<string, string[]>()
      for (const [, its, version = '', arch, repository = ''] of rows)
        if (its === name || `${its}.${arch}` === name) {
          const text = version.replace(/^0:/, '')
          versions.set(text, [...(versions.get(text) ?? []), ...(repository === '' ? [] : [repository])])
        }
      const sorted = [...versions]
        .map(([version, releases]) => ({ version, releases }))
        .sort((a, b) => compareRpmVersions(b.version, a.version))
      return { versions: sorted, candidate: sorted[0]?.version, fresh: lines.includes('fresh') }
    })
  },
  fakeValue: () => ({ versions: [{ version: '1-1', releases: [] }], candidate: '1-1', fresh: false }),
})
