import type { Explanation } from '../../model/resource/command.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { directoryOf, ensureDirectory } from '../files/staging.ts'

interface DnfInstallation {
  /** Packages, those with a version as `nginx-1.22.1-9.el9`. */
  readonly words: readonly string[]
  /** Installed packages that it may replace, which the plan shows. */
  readonly replaces: readonly string[]
  readonly recommends: boolean
}

/** Installs packages in one transaction. It ends without a change if dnf would remove others than those that it may replace. */
export function dnfInstall({ words, replaces, recommends }: DnfInstallation): Shell {
  const weak = `--setopt=install_weak_deps=${recommends ? 'True' : 'False'}`
  return sh`set -- ${words}
plan=$(LC_ALL=C dnf --assumeno ${weak} install -- "$@" 2>&1 </dev/null)
others=$(printf '%s\n' "$plan" | sed -n ${REPLACED} | while read -r one; do
  for name in ${replaces}; do [ "$one" != "$name" ] || continue 2; done
  echo "$one"
done)
[ -z "$others" ] || { echo "dnf would now remove other packages, too:" $others >&2; exit 1; }
LC_ALL=C dnf -y -q ${weak} install -- "$@" </dev/null`
}

/** The packages in the lines `     replacing  NAME.ARCH VERSION` of a transaction. */
const REPLACED = 's/^ *replacing *\\([^ ]*\\)\\.[^ .]* .*/\\1/p'

/** Removes packages, and no others: rpm is asked again first, since the state of the host may have changed. */
export function dnfRemove(names: readonly string[]): Shell {
  return sh`LC_ALL=C rpm -e --test -- ${names} </dev/null && LC_ALL=C dnf -y -q --noautoremove remove -- ${names} </dev/null`
}

/** Its time is the last update of the metadata by a run. */
const UPDATED = '/var/lib/provision/dnf-metadata'

/** True if the metadata is younger than an hour, and no repository has changed since. */
export const METADATA_AGE = sh`{ recent=$(find ${UPDATED} -mmin -60 2>/dev/null)
[ "$recent" ] && [ -z "$(find /etc/yum.repos.d /etc/dnf -newer "$recent" 2>/dev/null | head -n 1)" ]; }`

export const UPDATE_METADATA = sh`LC_ALL=C dnf -q --refresh makecache </dev/null && ${ensureDirectory(directoryOf(UPDATED))} && : >${UPDATED}`

/** Explains a failed transaction from the messages of dnf and rpm. */
export function explainDnfError(stderr: string): Explanation | undefined {
  for (const [pattern, explain] of ERRORS) {
    const found = pattern.exec(stderr)
    if (found) return explain(found[1] ?? '')
  }
  return undefined
}

const ERRORS: readonly (readonly [RegExp, (found: string) => Explanation])[] = [
  [
    /^(?:Error: )?(?:Unable to find a match|No match for argument): (.+)$/m,
    (name) => ({
      what: `the repositories of the host have no package ${name}`,
      next: 'Correct the name, or add a repository that has it to /etc/yum.repos.d, in a step before this one.',
    }),
  ],
  [
    /^dnf would now remove other packages, too: (.+)$/m,
    (names) => ({
      what: `it would remove ${names}, which the plan did not show`,
      next: 'Run it with --check to see what dnf replaces, then run the same command again.',
    }),
  ],
  [
    /is needed by \(installed\) (\S+)/,
    (name) => ({
      what: `${name} needs it`,
      next: 'Add that package to pkg.absent() if it may be removed, then run the same command again.',
    }),
  ],
  [
    /(Errors during downloading metadata|Failed to download metadata|Error downloading packages|Cannot download)/,
    () => ({
      what: 'the download failed',
      next: 'Check that the host reaches its repositories (dnf makecache), then run the same command again.',
    }),
  ],
  [
    /(No space left on device|more space needed on the)/,
    () => ({ what: 'the disk is full', next: 'Free disk space on the host, then run the same command again.' }),
  ],
  [
    /^Error:\s*(Problem[^:]*: .*)$/m,
    (problem) => ({
      what: `dnf finds no solution: ${problem}`,
      next: 'Remove or replace the package that is in conflict, in a step before this one.',
    }),
  ],
]
