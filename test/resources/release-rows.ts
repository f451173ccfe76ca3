import { file } from '../../src/resources/files/file.ts'
import { markReleaseCurrent, markReleaseRolledBack, type Release } from '../../src/resources/releases/current.ts'
import { pruneReleases } from '../../src/resources/releases/prune.ts'
import { release } from '../../src/resources/releases/release.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import { build, dir, type Row, there } from './kind-row.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(12)) as [string, string, string]
const releases = (current: string, ...all: readonly (readonly [string, Release['state']])[]) => ({
  current,
  all: all.map(([id, state]) => ({ id, state })),
})

/** Rows of kinds that act on releases and on several files. */
export const RELEASE_ROWS: Readonly<Record<string, Row>> = {
  'a release that is there': { step: release('/srv/releases/abc', build), have: dir },
  'no release': { step: release('/srv/releases/abc', build), have: undefined, differs: 'create release abc' },
  'a file in place of a release': {
    step: release('/srv/releases/abc', build),
    have: there,
    refuses: '/srv/releases/abc is a file, not a release',
  },
  'the number of releases to keep': {
    step: pruneReleases('/srv', { wanted: A, keep: 2 }),
    have: releases(B, [B, 'used'], [A, undefined]),
  },
  'one release too many': {
    step: pruneReleases('/srv', { wanted: A, keep: 2 }),
    have: releases(B, [B, 'used'], [C, 'used']),
    differs: `remove ${C} present → absent`,
  },
  'a release that is marked as the current one': {
    step: markReleaseCurrent('/srv', A),
    have: releases(A, [A, 'used'], [B, 'used']),
  },
  'a current release without a mark': {
    step: markReleaseCurrent('/srv', A),
    have: releases(A, [B, 'used'], [A, undefined]),
    differs: `change release ${B} → ${A}`,
    runs: [`[ /srv/current -ef /srv/releases/${A} ] && touch /srv/releases/${A}`],
  },
  'a release that is marked as rolled back': {
    step: markReleaseRolledBack('/srv', A),
    have: releases(B, [B, 'used'], [A, 'rolled back']),
  },
  'a release that was used': {
    step: markReleaseRolledBack('/srv', A),
    have: releases(B, [B, 'used'], [A, 'used']),
    differs: 'change state used → rolled back',
  },
  'a transaction whose files are in the declared state': {
    step: transaction('conf', [file('/a', 'text')]),
    have: [there],
  },
  'a transaction with a missing file': {
    step: transaction('conf', [file('/a', 'text')]),
    have: [undefined],
    differs: 'change',
  },
}
