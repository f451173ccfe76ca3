import { Problem } from '../../model/problem.ts'
import type { Diff, FieldChange } from '../../model/resource/diff.ts'
import { readAll, readBoth } from '../../model/resource/read.ts'
import { resource } from '../../model/resource/step.ts'
import type { Duration } from '../../shell/duration.ts'
import { dnfInstall, dnfRemove, explainDnfError } from './dnf.ts'
import { type Versioning, versionChanges } from './pinned.ts'
import { type RpmState, rpmState, rpmVersions } from './rpm-state.ts'
import type { Available } from './versions.ts'

interface RpmParams {
  readonly names: readonly string[]
  readonly versioning?: Versioning | undefined
  readonly recommends: boolean
  readonly timeout: Duration
}

type Have = readonly [RpmState, readonly Available[]]

/** The step `pkg` on hosts with rpm and dnf. */
export const rpmPackageStep = resource<RpmParams, Have>('package', {
  id: ({ names }) => names.join(', '),
  sets: ({ names }) => names.map((name) => ({ type: 'package', name })),
  read: ({ names, versioning }) =>
    readBoth(rpmState({ names, wish: 'install' }), readAll(versioning ? names.map(rpmVersions) : [])),
  diff: (params, have): Diff | undefined => {
    const changes = changesOf(params, have)
    if (changes.length === 0) return undefined
    const removed = have[0].others.map((name): FieldChange => ({ name, from: 'installed', to: 'removed' }))
    return { action: 'install', fields: [...changes.map(({ field }) => field), ...removed] }
  },
  apply: (params, have) => [
    {
      script: dnfInstall({
        words: changesOf(params, have).map(({ word }) => word),
        replaces: have[0].others,
        recommends: params.recommends,
      }),
      timeout: params.timeout,
      explain: explainDnfError,
    },
  ],
  simulate: ({ names, versioning }, { packages, values }) => {
    for (const name of names) {
      packages.add(name)
      if (versioning?.version !== undefined) values.set(`version of ${name}`, versioning.version)
    }
  },
})

interface RpmChange {
  readonly field: FieldChange
  /** The package as dnf takes it. */
  readonly word: string
}

/** @throws Problem for a version that cannot be installed */
function changesOf({ names, versioning }: RpmParams, [{ packages }, available]: Have): readonly RpmChange[] {
  const changes = versionChanges(names, packages, available, versioning)
  return names.flatMap((name, i): readonly RpmChange[] => {
    const one = packages[i]
    const change = changes.get(name)
    if (change) {
      const from = one?.version
      return [{ field: { name, ...(from !== undefined && { from }), to: change.to }, word: wordOf(name, change.word) }]
    }
    if (one?.version !== undefined || one?.provider !== undefined) return []
    return [{ field: { name, to: 'installed' }, word: name }]
  })
}

/** `nginx=1.22.1` as `nginx-1.22.1`, and `glibc.i686=2.39` as `glibc-2.39.i686`. */
function wordOf(name: string, word: string): string {
  const [, , version] = /^([^=]*)=(.*)$/.exec(word) ?? []
  if (version === undefined) return word
  const [, plain = name, architecture] = /^(.*)\.(x86_64|i686|aarch64|noarch|ppc64le|s390x)$/.exec(name) ?? []
  return `${plain}-${version}${architecture === undefined ? '' : `.${architecture}`}`
}

interface RpmAbsentParams {
  readonly names: readonly string[]
  readonly timeout: Duration
}

/** The step `pkg.absent` on hosts with rpm and dnf. */
export const rpmAbsentStep = resource<RpmAbsentParams, RpmState>('absent package', {
  id: ({ names }) => names.join(', '),
  sets: ({ names }) => names.map((name) => ({ type: 'package', name })),
  read: ({ names }) => rpmState({ names, wish: 'remove' }),
  diff: ({ names }, { packages, others }) => {
    const fields = names.flatMap((name, i) => {
      const from = packages[i]?.version
      return from === undefined ? [] : [{ name, from, to: 'absent' }]
    })
    if (fields.length === 0) return undefined
    if (others.length > 0)
      throw new Problem(`other packages need ${fields.map(({ name }) => name).join(', ')}`, {
        details: others,
        next: 'Add those to pkg.absent() that may be removed, or install the replacement in a step before this one.',
      })
    return { action: 'remove', fields }
  },
  apply: ({ names, timeout }, { packages }) => [
    {
      script: dnfRemove(names.filter((_name, i) => packages[i]?.version !== undefined)),
      timeout,
      explain: explainDnfError,
    },
  ],
  simulate: ({ names }, { packages }) => {
    for (const name of names) packages.delete(name)
  },
})
