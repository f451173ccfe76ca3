import { sha256 } from '../../src/resources/files/content.ts'
import { pkg } from '../../src/resources/packages/package.ts'
import { aptSource } from '../../src/resources/packages/source.ts'
import type { Effects } from '../../src/resources/packages/state.ts'
import { packageUpgrades } from '../../src/resources/packages/upgrades.ts'
import { entry, packages, type Row, version } from './kind-row.ts'

const upgrades = packageUpgrades()[1] ?? pkg('curl')
const latest = pkg.latest('nginx')[1] ?? pkg('curl')

const none: Effects = { removed: [], installed: [] }

/** The versions of a package in the sources of a host, the newest first. */
const offers = (fresh: boolean, ...versions: readonly (readonly [string, ...string[]])[]) => ({
  versions: versions.map(([one, ...releases]) => ({ version: one, releases })),
  candidate: versions[0]?.[0],
  fresh,
})
const two = offers(true, ['1.24.0-1', 'bookworm-backports'], ['1.22.1-9', 'bookworm'])

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n'
const source = aptSource('tool', { uri: 'https://deb.example.net/tool', suites: 'stable', key: KEY })
const SOURCE = `Types: deb
URIs: https://deb.example.net/tool
Suites: stable
Components: main
Signed-By: /etc/apt/keyrings/tool.asc
`
const sourceEntries = [entry({ sha256: sha256(KEY) }), entry({ sha256: sha256(SOURCE) })]

/** Rows of kinds that act on packages. */
export const PACKAGE_ROWS: Readonly<Record<string, Row>> = {
  'packages that are installed': { step: pkg('nginx', 'curl'), have: packages(version('1.22.1'), version('7.88')) },
  'packages of which some are missing': {
    step: pkg('nginx', 'curl', 'jq'),
    have: packages(version(undefined), version('7.88'), { ...version(undefined), state: 'half-configured' }),
    differs: 'install nginx installed, jq half-configured → installed',
  },
  'a package that came as a dependency, which autoremove would take away': {
    step: pkg('curl'),
    have: packages({ ...version('1'), automatic: true }),
    differs: 'change curl automatic → manual',
    runs: ['apt-mark -qq manual curl'],
  },
  'a virtual package that another one provides': {
    step: pkg('default-mta'),
    have: packages({ ...version(undefined), provider: 'exim4' }),
  },
  'a package on hold that is not there': {
    step: pkg('jq'),
    have: packages({ ...version(undefined), held: true }),
    refuses: 'jq: on hold, so apt does not install it',
  },
  'packages that are there, and what a killed installation has left': {
    step: pkg('nginx'),
    have: packages({ ...version('1.22.1'), guarded: true }),
    differs: 'remove /usr/sbin/policy-rc.d left by an interrupted run → absent',
  },
  'a package that conflicts with another one': {
    step: pkg('postfix'),
    have: [{ packages: [version(undefined)], others: { ...none, removed: ['exim4'] } }, []],
    differs: 'install postfix installed, exim4 installed → removed',
  },
  'a version that is installed': {
    step: pkg('nginx', { version: '1.22.*' }),
    have: [{ packages: [version('1.22.1-9')], others: undefined }, [two]],
  },
  'a version that is not installed': {
    step: pkg('nginx', { version: '1.24.*' }),
    have: [{ packages: [version('1.22.1-9')], others: undefined }, [two]],
    differs: 'install nginx 1.22.1-9 → 1.24.0-1',
  },
  'a version of which the lists are too old to know': {
    step: pkg('nginx', { version: '1.26.*' }),
    have: [{ packages: [version('1.22.1-9')], others: undefined }, [{ ...two, fresh: false }]],
    differs: 'install nginx 1.22.1-9 → 1.26.*',
  },
  'a version that no source has': {
    step: pkg('nginx', { version: '1.26.*' }),
    have: [{ packages: [version(undefined)], others: none }, [two]],
    refuses: 'the package sources of the host have no nginx 1.26.*',
  },
  'a version that is older than the installed one': {
    step: pkg('nginx', { version: '1.22.*' }),
    have: [{ packages: [version('1.24.0-1')], others: undefined }, [two]],
    refuses: 'nginx 1.22.1-9 is older than the installed version 1.24.0-1',
  },
  'a version that is older than the installed one, and allowed': {
    step: pkg('nginx', { version: '1.22.*', downgrade: true }),
    have: [{ packages: [version('1.24.0-1')], others: undefined }, [two]],
    differs: 'install nginx 1.24.0-1 → 1.22.1-9',
  },
  'a package of another release': {
    step: pkg('nginx', { from: 'bookworm-backports' }),
    have: [{ packages: [version('1.22.1-9')], others: undefined }, [two]],
    differs: 'install nginx 1.22.1-9 → 1.24.0-1',
  },
  'a package of another release, in a version that no source has any more': {
    step: pkg('nginx', { from: 'bookworm-backports' }),
    have: [
      { packages: [version('1.23.0-1')], others: undefined },
      [offers(true, ['1.24.0-1', 'bookworm-backports'], ['1.23.0-1'], ['1.22.1-9', 'bookworm'])],
    ],
  },
  'a release that the sources do not have': {
    step: pkg('nginx', { from: 'trixie' }),
    have: [{ packages: [version('1.22.1-9')], others: undefined }, [two]],
    refuses: 'the package sources of the host have no nginx from trixie',
  },
  'a package with a newer version': {
    step: latest,
    have: [{ packages: [version('1.22.1-9')], others: undefined }, [two]],
    differs: 'install nginx 1.22.1-9 → 1.24.0-1',
  },
  'a package in its newest version': {
    step: latest,
    have: [{ packages: [version('1.24.0-1')], others: undefined }, [two]],
  },
  'a package that should be on hold': {
    step: pkg('nginx', { hold: true }),
    have: packages(version('1.22.1-9')),
    differs: 'change hold of nginx false → true',
    runs: ['apt-mark -qq hold nginx'],
  },
  'a package that should no longer be on hold': {
    step: pkg('nginx', { hold: false }),
    have: packages({ ...version('1.22.1-9'), held: true }),
    differs: 'change hold of nginx true → false',
    runs: ['apt-mark -qq unhold nginx'],
  },
  'a package on hold in another version than the step says': {
    step: pkg('nginx', { version: '1.24.*' }),
    have: [{ packages: [{ ...version('1.22.1-9'), held: true }], others: undefined }, [two]],
    refuses: 'nginx: on hold, so apt does not install it',
  },
  'packages that should not be there, and are not': {
    step: pkg.absent('apache2'),
    have: { packages: [{ ...version(undefined), hasConfiguration: true }], others: undefined },
  },
  'packages that should not be there': {
    step: pkg.absent('apache2', 'nginx'),
    have: { packages: [version('2.4'), version(undefined)], others: none },
    differs: 'remove apache2 2.4 → absent',
  },
  'a package that should not be there, with its configuration files': {
    step: pkg.absent('apache2', { purge: true }),
    have: { packages: [{ ...version(undefined), hasConfiguration: true }], others: none },
    differs: 'remove apache2 configuration files → absent',
  },
  'a package that others need': {
    step: pkg.absent('postfix'),
    have: { packages: [version('3.7')], others: { removed: ['mailutils'], installed: ['exim4'] } },
    refuses: 'the removal of postfix changes other packages, too',
  },
  'a package that apt cannot remove': {
    step: pkg.absent('postfix'),
    have: { packages: [version('3.7')], others: undefined },
    refuses: 'apt cannot remove postfix',
  },
  'a package that Debian needs': {
    step: pkg.absent('dpkg'),
    have: { packages: [{ ...version('1.22'), essential: true }], others: undefined },
    refuses: 'dpkg: Debian does not work without it',
  },
  'a package on hold that should not be there': {
    step: pkg.absent('nginx'),
    have: { packages: [{ ...version('1.22'), held: true }], others: none },
    refuses: 'nginx: on hold, so apt does not remove it',
  },
  'a package of a file': {
    step: pkg.file('/srv/a.deb'),
    have: { name: 'a', version: '2', installed: '1', isOlder: false },
    differs: 'install a 1 → 2',
  },
  'a package of a file that is installed': {
    step: pkg.file('/srv/a.deb'),
    have: { name: 'a', version: '2', installed: '2', isOlder: false },
  },
  'no file of a package': { step: pkg.file('/srv/a.deb'), have: undefined, refuses: 'there is no file /srv/a.deb' },
  'a file that is not a package': {
    step: pkg.file('/srv/a.deb'),
    have: 'unreadable',
    refuses: '/srv/a.deb is not a package of Debian',
  },
  'a package of a file that is older than the installed one': {
    step: pkg.file('/srv/a.deb'),
    have: { name: 'a', version: '1', installed: '2', isOlder: true },
    refuses: 'a 1 is older than the installed version 2',
  },
  'a source as declared': { step: source, have: [sourceEntries, { refreshed: true, files: new Map() }] },
  'a source whose lists are older': {
    step: source,
    have: [sourceEntries, { refreshed: false, files: new Map() }],
    differs: 'change lists older than the source → up to date',
  },
  'a source with another key': {
    step: source,
    have: [[entry({ sha256: sha256('other') }), sourceEntries[1]], { refreshed: true, files: new Map() }],
    differs: `change /etc/apt/keyrings/tool.asc content ${sha256('other').slice(0, 12)} → ${sha256(KEY).slice(0, 12)}`,
  },
  'packages that are up to date': { step: upgrades, have: [] },
  'an upgrade of all packages': {
    step: upgrades,
    have: [{ name: 'curl', from: '7.88', to: '7.89' }],
    differs: 'install curl 7.88 → 7.89',
  },
}
