import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { explainDnfError } from '../../src/resources/packages/dnf.ts'
import { pkg } from '../../src/resources/packages/package.ts'
import { rpmPackageStep } from '../../src/resources/packages/rpm-package.ts'
import { type RpmState, rpmVersions } from '../../src/resources/packages/rpm-state.ts'
import { compareRpmVersions } from '../../src/resources/packages/rpm-version.ts'
import type { Available } from '../../src/resources/packages/versions.ts'
import { parsed } from './parsed.ts'

/** Lists of versions from the oldest to the newest, after the tests of rpm's own comparison. */
const ORDERED: readonly (readonly string[])[] = [
  ['1.0', '2.0', '2.0.1', '10.0', '1:0.1'],
  ['5.5p1', '5.5p2', '5.5p10'],
  ['xyz.4', '8'],
  ['1.0~rc1', '1.0~rc2', '1.0', '1.0^git1', '1.0.1'],
  ['2.0-1', '2.0-2', '2.0-10', '2.1-1'],
  ['1.0a', '1.0.1'],
]

const state = (versions: readonly (string | undefined)[], others: readonly string[] = []): RpmState => ({
  packages: versions.map((version) => ({ version, provider: undefined })),
  others,
})

const offers = (...versions: readonly string[]): Available => ({
  versions: versions.map((version) => ({ version, releases: ['lab'] })),
  candidate: versions[0],
  fresh: true,
})

describe('packages of rpm', () => {
  const onRedhat = (step: Step): Step => {
    const found = step.forPlatform?.('redhat')
    if (typeof found !== 'object') throw new Error(`no step for redhat: ${found}`)
    return found
  }
  const fields = (step: Step, have: unknown) =>
    onRedhat(step)
      .diff(have)
      ?.fields.map(({ name, from, to }) => [name, ...(from === undefined ? [] : [from]), to].join(' '))
  const script = (step: Step, have: unknown) =>
    onRedhat(step)
      .apply(have)
      .map((command) => command.script.text)
      .join('\n')

  it('have versions in the order of rpm', () => {
    for (const list of ORDERED)
      list.forEach((older, i) => {
        expect(compareRpmVersions(older, older)).to.equal(0)
        for (const newer of list.slice(i + 1)) {
          expect(compareRpmVersions(older, newer), `${older} ${newer}`).to.be.lessThan(0)
          expect(compareRpmVersions(newer, older), `${newer} ${older}`).to.be.greaterThan(0)
        }
      })
    expect(compareRpmVersions('1.0', '0:1.0')).to.equal(0)
  })

  it('are read with their epochs, architectures and providers', () => {
    const answer = [
      'installed|nginx|1:1.22.1-9.el9|x86_64',
      'arch|nginx.x86_64',
      'package mail is not installed',
      'provider|mail|postfix',
      'other|1|old-mail',
    ].join('\n')
    const queries = [['nginx'], ['mail', 'nginx.x86_64'], ['nginx.i686']].map((names) => {
      const [state] = parsed(rpmPackageStep({ names, recommends: false, timeout: '30m' }).read, answer) as readonly [
        RpmState,
      ]
      return state
    })
    expect(queries[0]).to.deep.equal({ packages: [{ version: '1:1.22.1-9.el9', provider: undefined }], others: [] })
    expect(queries[1]?.packages).to.deep.equal([
      { version: undefined, provider: 'postfix' },
      { version: '1:1.22.1-9.el9', provider: undefined },
    ])
    expect(queries[2]?.packages[0]?.version).to.equal(undefined)
  })

  it('are listed from the newest to the oldest, with the installed version', () => {
    const answer =
      'fresh\navailable|tool|0:1.9-1|noarch|\navailable|tool|0:1.10-1|noarch|lab\navailable|tool|0:1.9-1|noarch|lab\n'
    expect(parsed(rpmVersions('tool'), answer)).to.deep.equal({
      versions: [
        { version: '1.10-1', releases: ['lab'] },
        { version: '1.9-1', releases: ['lab'] },
      ],
      candidate: '1.10-1',
      fresh: true,
    })
    expect(parsed(rpmVersions('other'), answer)).to.deep.equal({ versions: [], candidate: undefined, fresh: true })
  })

  it('are installed if they are missing, and the plan shows what they replace', () => {
    const step = pkg('nginx', 'new-mail')
    expect(fields(step, [state(['1-1', '1-1']), []])).to.equal(undefined)
    const have = [state(['1-1', undefined], ['old-mail']), []]
    expect(fields(step, have)).to.deep.equal(['new-mail installed', 'old-mail installed removed'])
    expect(script(step, have)).to.include('set -- new-mail').and.include('install_weak_deps=False')
    expect(script(pkg('nginx', { recommends: true }), [state([undefined]), []])).to.include('install_weak_deps=True')
  })

  it('are installed in a version, and not in an older one without downgrade', () => {
    const step = (downgrade: boolean) => pkg('tool', { version: '1.9-*', downgrade })
    const have = [state(['1.10-1']), [offers('1.10-1', '1.9-1')]]
    expect(() => fields(step(false), have)).to.throw(Problem, 'tool 1.9-1 is older than the installed version 1.10-1')
    expect(fields(step(true), have)).to.deep.equal(['tool 1.10-1 1.9-1'])
    expect(script(step(true), have)).to.include('set -- tool-1.9-1')
    const other = pkg('glibc.i686', { version: '2.39-*' })
    expect(script(other, [state([undefined]), [offers('2.39-6')]])).to.include('set -- glibc-2.39-6.i686')
    expect(() => fields(pkg('tool', { version: '7-*' }), have)).to.throw(Problem, 'have no tool 7-*')
    const [, latest = pkg('x')] = pkg.latest('tool')
    expect(fields(latest, [state(['1.9-1']), [offers('1.10-1', '1.9-1')]])).to.deep.equal(['tool 1.9-1 1.10-1'])
  })

  it('are removed, unless others need them', () => {
    const step = pkg.absent('tool', 'gone')
    expect(fields(step, state([undefined, undefined]))).to.equal(undefined)
    expect(fields(step, state(['1-1', undefined]))).to.deep.equal(['tool 1-1 absent'])
    expect(script(step, state(['1-1', undefined]))).to.include('remove -- tool')
    expect(() => fields(step, state(['1-1', undefined], ['tool is needed by (installed) app-1-1']))).to.throw(
      Problem,
      'other packages need tool',
    )
  })

  for (const [stderr, what] of [
    ['Error: Unable to find a match: nope', 'the repositories of the host have no package nope'],
    ['dnf would now remove other packages, too: old-mail', 'it would remove old-mail, which the plan did not show'],
    ['\ttool is needed by (installed) app-1.0-1.noarch', 'app-1.0-1.noarch needs it'],
    ["Error: Failed to download metadata for repo 'lab'", 'the download failed'],
    ['At least 5MB more space needed on the / filesystem.', 'the disk is full'],
    ['Error: \n Problem: conflicting requests', 'dnf finds no solution: Problem: conflicting requests'],
  ] as const)
    it(`explain the error: ${what}`, () => {
      expect(explainDnfError(stderr)?.what).to.equal(what)
    })

  it('do not explain other errors', () => {
    expect(explainDnfError('Segmentation fault')).to.equal(undefined)
  })
})
