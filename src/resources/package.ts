import type { Difference } from '../model/difference.ts'
import { family, readAll } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'

/** The version of a package that is installed; undefined for none. One `dpkg-query` for all packages of a host. */
const installedVersion = family<string, string | undefined>({
  name: 'packages',
  script: (names) =>
    sh`dpkg-query -W -f ${'${db:Status-Abbrev}|${Package}|${Version}\n'} -- ${names} 2>/dev/null`,
  parse: ({ stdout }, names) => {
    const versions = new Map(
      stdout
        .split('\n')
        .map((line) => line.split('|'))
        // The first letter is what is wanted of it: one on hold is `hi`.
        .filter(([status]) => status?.[1] === 'i')
        .map(([, name = '', version]) => [name, version]),
    )
    return names.map((name) => versions.get(name))
  },
})

/**
 * Debian packages, all in one transaction, without what they recommend. No service is started by its installation: it would
 * run before it is configured. Changed configuration files are kept.
 *
 * @example pkg('nginx')
 */
export function pkg(...names: readonly [string, ...string[]]): Step {
  return packages({ names })
}

/** The same with options. */
export function packagesWith(names: readonly string[], options: StepOptions): Step {
  return packages({ names }, options)
}

const packages = resource<{ readonly names: readonly string[] }, readonly (string | undefined)[]>('package', {
  id: ({ names }) => names.join(', '),
  read: ({ names }) => readAll(names.map(installedVersion)),
  diff: ({ names }, have): Difference | undefined => {
    const missing = names.filter((_name, i) => have[i] === undefined)
    return missing.length === 0
      ? undefined
      : { verb: 'install', fields: missing.map((name) => ({ name, to: 'installed' })) }
  },
  apply: ({ names }, have) => [
    {
      script: sh`set -- ${names.filter((_name, i) => have[i] === undefined)}
${INSTALL}`,
      timeout: '30m',
    },
  ],
})

/** Says to Debian's maintainer scripts that services are not to be started; a marker tells our file from anybody's. */
const INSTALL = sh`
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ] || grep -q 'by provision' $policy; then
  printf '#!/bin/sh\n# by provision, while it installs packages\nexit 101\n' > $policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
apt() { apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
updated=
[ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*InRelease' -ctime -1 2>/dev/null | head -n 1)" ] || { updated=1; apt update; }
apt install --no-install-recommends -- "$@" && exit 0
[ -z "$updated" ] || exit 100
apt update && apt install --no-install-recommends -- "$@"`
