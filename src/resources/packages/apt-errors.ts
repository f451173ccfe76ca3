import type { Explanation } from '../../model/resource/command.ts'

/**
 * The reason why an installation failed, where apt's words give it, and what to do.
 *
 * @param names the packages to install, where they are known
 */
export function explainAptError(stderr: string, names?: readonly string[]): Explanation | undefined {
  const broken = brokenPackage(stderr)
  if (broken !== undefined && names && !names.includes(broken))
    return {
      what: `${broken}, another package of the host, cannot be configured`,
      next: `The lines above have its own words. Repair or remove it (apt-get remove ${broken}), then run the same command again.`,
    }
  for (const [pattern, explain] of REASONS) {
    const found = pattern.exec(stderr)
    if (found) return explain(found[1] ?? '')
  }
  return undefined
}

/** The package whose own script fails: dpkg names it, whichever package apt was asked for. */
function brokenPackage(stderr: string): string | undefined {
  return /^dpkg: error processing package (\S+) \(--configure\):/m.exec(stderr)?.[1]?.replace(/:.*/, '')
}

const REASONS: readonly (readonly [RegExp, (found: string) => Explanation])[] = [
  [
    /^The ((?:dpkg lock|lock of|download).*), was not let go within \d+ s$/m,
    (found) => ({
      what: `the ${found}, was not let go in time`,
      next: `Look at that process on the host (ps -f -p ${/pid (\d+)/.exec(found)?.[1] ?? 'PID'}). When it has ended, run the same command again.`,
    }),
  ],
  [
    /^E: Unable to locate package (\S+)/m,
    (name) => ({
      what: `the host's sources have no package ${name}`,
      next: name.includes(':')
        ? `Correct the name, or let the host know the architecture first: dpkg --add-architecture ${name.split(':')[1]}`
        : 'Correct the name, or put a file for the source that has it into /etc/apt/sources.list.d, in a step before this one.',
    }),
  ],
  [
    /^E: Package '(\S+)' has no installation candidate/m,
    (name) => ({
      what: `${name} cannot be installed: it is only a name that others provide or mention`,
      next: 'Name one of the packages that provide it; `apt-cache showpkg` lists them.',
    }),
  ],
  [
    /(have unmet dependencies|Unable to correct problems, you have held broken packages)/,
    () => ({
      what: 'its dependencies cannot be met by the sources of the host',
      next: 'The lines above name them. `apt-mark showhold` on the host lists packages that are held back.',
    }),
  ],
  [
    /^E: Held packages were changed and -y was used without --allow-change-held-packages/m,
    () => ({
      what: 'it would change a package that is on hold',
      next: '`apt-mark showhold` on the host lists them, and `apt-mark unhold NAME` releases one.',
    }),
  ],
  [
    /^E: (Failed to fetch .*|Unable to fetch some archives.*)/m,
    () => ({
      what: 'it could not be downloaded',
      next: 'See whether the host reaches its mirror (apt-get update), then run the same command again.',
    }),
  ],
  [
    /(No space left on device|You don't have enough free space)/,
    () => ({ what: 'the disk is full', next: 'Make room on the host, then run the same command again.' }),
  ],
]
