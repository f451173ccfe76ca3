import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Steps } from '../../../src/index.ts'
import type { Dice } from '../../support/dice.ts'
import { api, type Generator, type Site } from './api.ts'

/** Packages of Debian and of a folder on the host: missing, old, downloaded, or installed as dependencies. */
export const packages: Generator = (dice, site) => {
  const found = [
    ...dice.some(
      [
        'dpkg --purge --force-depends tree',
        'dpkg --purge sl',
        'dpkg --purge --force-depends kinds-app kinds-lib',
        'dpkg -i /srv/repo/kinds-lib_1.0.deb /srv/repo/kinds-app_1.0.deb; apt-mark auto kinds-lib',
        'dpkg -i /srv/repo/kinds-app_2.0.deb /srv/repo/kinds-lib_2.0.deb',
        'apt-mark auto tree',
        'dpkg --unpack /srv/repo/kinds-lib_2.0.deb',
        'dpkg --remove --force-depends kinds-lib',
        'dpkg -i /srv/repo/kinds-pin_1.0.deb /srv/repo/kinds-latest_1.0.deb /srv/repo/kinds-file_2.0.deb',
        'dpkg -i /srv/repo/kinds-held_1.0.deb; apt-mark hold kinds-held',
        'dpkg -i /srv/repo/kinds-gone_1.0.deb',
        'rm -f /etc/apt/sources.list.d/kinds.sources',
        'echo "# by hand" >>/etc/apt/sources.list.d/kinds.sources',
      ],
      0.35,
    ),
    // apt upgrades nothing while an installed package is broken.
    'dpkg --configure -a; apt-get -qq -y -f install',
  ].join('\n')
  return {
    needs: PREPARED,
    found,
    steps: dice.one<() => ReturnType<Generator>['steps']>(
      () => [...installed(dice, site.options())],
      () => [...installed(dice, site.options()), ...special(dice, site)],
      () => [...special(dice, site), ...installed(dice, site.options())],
      () => [...installed(dice, site.options()), api.packageUpgrades(site.options())],
      () => [api.packageUpgrades(site.options()), ...installed(dice, site.options())],
    )(),
  }
}

function installed(dice: Dice, options: ReturnType<Parameters<Generator>[1]['options']>) {
  const names = dice.some(['tree', 'sl', 'kinds-app', 'kinds-lib', 'awk'], 0.6)
  const [first = 'tree', ...rest] = names
  const cut = dice.below(rest.length + 1)
  const [next, ...last] = rest.slice(cut)
  return [
    api.pkg(first, ...rest.slice(0, cut), options),
    api.file('/srv/kinds/after-packages', 'x\n'),
    ...(next === undefined ? [] : [api.pkg(next, ...last)]),
  ]
}

/** Packages in a version, on hold, from a file or a source of its own, and absent ones. Upgrades would change their versions. */
function special(dice: Dice, site: Site) {
  return dice
    .some<() => Steps>(
      [
        () => api.pkg('kinds-pin', { version: dice.one('1.*', '2.0'), downgrade: true, ...site.options() }),
        () => api.pkg('kinds-held', { hold: dice.maybe(), ...site.options() }),
        () => api.pkg.latest('kinds-latest', site.options()),
        () => api.pkg.absent('kinds-gone', { purge: dice.maybe(), ...site.options() }),
        () =>
          api.pkg.file(`/srv/repo/kinds-file_${dice.one('1.0', '2.0')}.deb`, { downgrade: true, ...site.options() }),
        () => [
          api.aptSource('kinds', {
            uri: 'file:/srv/signed',
            suites: './',
            key: api.localFile(import.meta, '../repository/key.asc'),
            ...site.options(),
          }),
          api.pkg('source-app'),
        ],
      ],
      0.5,
    )
    .map((make) => make())
}

/** The signed repository of the tests. */
const SIGNED = ['InRelease', 'Packages', 'source-app_1.0.deb']
  .map((name) => {
    const content = readFileSync(join(import.meta.dirname, '../repository', name), 'base64')
    return `echo ${content} | base64 -d >/srv/signed/${name}`
  })
  .join('\n')

/** Packages in two versions, in a repository of their own; the second version is the candidate. */
const PREPARED = `
[ -e /srv/repo/Packages ] || {
  deb() {
    mkdir -p /srv/repo /tmp/deb/DEBIAN
    printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: Test <test@example.net>\\nDescription: test\\n%s' "$1" "$2" "$3" >/tmp/deb/DEBIAN/control
    dpkg-deb -b /tmp/deb "/srv/repo/$1_$2.deb"
  }
  deb kinds-lib 1.0; deb kinds-lib 2.0; deb kinds-app 1.0 'Depends: kinds-lib
'; deb kinds-app 2.0 'Depends: kinds-lib
'
  for name in pin held latest gone file; do deb kinds-$name 1.0; deb kinds-$name 2.0; done
  mkdir -p /srv/signed
  ${SIGNED}
  cd /srv/repo
  for one in kinds-pin_1.0.deb *_2.0.deb; do
    dpkg-deb -f "$one"; printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$one" "$(stat -c %s "$one")" "$(sha256sum <"$one" | cut -d' ' -f1)"
  done >Packages
  echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list.d/kinds.list
  apt-get -qq update
}`
