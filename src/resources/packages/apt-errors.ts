import type { Explanation } from '../../model/resource/command.ts'

/**
 * Explains a failed installation from the messages of apt and dpkg.
 *
 * @param names the packages to install, if known
 */
export function explainAptError(stderr: string, names?: readonly string[]): Explanation | undefined {
  const broken = brokenPackage(stderr)
  if (broken !== undefined && names && !names.includes(broken))
    return {
      what: `${broken}, another package of the host, cannot be configured`,
      next: `See its error above. Repair or remove it (apt-get remove ${broken}), then run the same command again.`,
    }
  for (const [pattern, explain] of ERRORS) {
    const found = pattern.exec(stderr)
    if (found) return explain(found[1] ?? '')
  }
  return undefined
}

/** The package whose maintainer script failed; it may be another one than those of the command. */
function brokenPackage(stderr: string): string | undefined {
  return /^dpkg: error processing package (\S+) \(--configure\):/m.exec(stderr)?.[1]?.replace(/:.*/, '')
}

const ERRORS: readonly (readonly [RegExp, (found: string) => Explanation])[] = [
  [
    /^The ((?:dpkg lock|lock of|download).*), was not released within \d+ s$/m,
    (found) => ({
      what: `the ${found}, was not released in time`,
      next: `Look at that process on the host (ps -f -p ${/pid (\d+)/.exec(found)?.[1] ?? 'PID'}). When it has ended, run the same command again.`,
    }),
  ],
  [
    /^E: Unable to locate package (\S+)/m,
    (name) => ({
      what: `the package sources of the host have no package ${name}`,
      next: name.includes(':')
        ? `Correct the name, or add the architecture on the host first: dpkg --add-architecture ${name.split(':')[1]}`
        : 'Correct the name, or add a source that has it to /etc/apt/sources.list.d, in a step before this one.',
    }),
  ],
  [
    /^E: Package '(\S+)' has no installation candidate/m,
    (name) => ({
      what: `${name} is a virtual or obsolete package without an installable version`,
      next: `Use one of the packages that provide it: apt-cache showpkg ${name}`,
    }),
  ],
  [
    /^E: Packages need to be removed but remove is disabled/m,
    () => ({
      what: 'it would remove other packages, which the plan did not show',
      next: 'See the packages above. Run it with --check to see what apt removes, then run the same command again.',
    }),
  ],
  [
    /^E: Packages were downgraded and -y was used without --allow-downgrades/m,
    () => ({
      what: 'a newer version is installed',
      next: 'Change the version, or add { downgrade: true } to the step.',
    }),
  ],
  [
    /^E: Version '(\S+)' for '\S+' was not found/m,
    (version) => ({
      what: `the package sources of the host have no version ${version}`,
      next: '`apt-cache policy NAME` on the host lists the versions. Correct the version of the step.',
    }),
  ],
  [
    /^E: The value '(\S+)' is invalid for APT::Default-Release/m,
    (release) => ({
      what: `the package sources of the host have no release ${release}`,
      next: 'Correct the name, or add a source with that release, in a step before this one.',
    }),
  ],
  [
    /^apt would now change other packages, too: (.*)$/m,
    (others) => ({
      what: `apt would change other packages, too: ${others}`,
      next: 'Run it with --check to see the present state.',
    }),
  ],
  [
    /(have unmet dependencies|Unable to correct problems, you have held broken packages)/,
    () => ({
      what: 'the sources of the host do not satisfy its dependencies',
      next: 'See the packages above. `apt-mark showhold` on the host lists packages on hold.',
    }),
  ],
  [
    /^E: Held packages were changed and -y was used without --allow-change-held-packages/m,
    () => ({
      what: 'it would change a package on hold',
      next: '`apt-mark showhold` on the host lists them, and `apt-mark unhold NAME` releases one.',
    }),
  ],
  [
    /^E: (Failed to fetch .*|Unable to fetch some archives.*)/m,
    () => ({
      what: 'the download failed',
      next: 'Check that the host reaches its mirror (apt-get update), then run the same command again.',
    }),
  ],
  [
    /(No space left on device|You don't have enough free space)/,
    () => ({ what: 'the disk is full', next: 'Free disk space on the host, then run the same command again.' }),
  ],
]
