import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { markReleaseCurrent, markReleaseRolledBack, type Read, releasesAt, type Step } from 'provision-ts'

const [NOW, OLD, BAD, FRESH] = ['a0a0a0a0a0a0', '01d01d01d01d', 'badbadbadbad', 'f0f0f0f0f0f0'] as const

describe('the releases of a host', () => {
  let root: `/${string}`

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'provision-releases-')) as `/${string}`
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Creates releases with their times, and the link to the current one. */
  const have = (times: Readonly<Record<string, number>>, current: string) => {
    for (const [name, time] of Object.entries(times)) {
      mkdirSync(join(root, 'releases', name), { recursive: true })
      utimesSync(join(root, 'releases', name), time, time)
    }
    symlinkSync(`releases/${current}`, join(root, 'current'))
  }
  const asked = <T>({ parts, value }: Read<T>): T =>
    value(
      parts.map(({ family, query }) => {
        const { status, stdout, stderr } = spawnSync('sh', ['-c', family.script([query]).text])
        return family.parse({ code: status ?? 1, stdout: `${stdout}`, stderr: `${stderr}`, bytes: stdout }, [query])[0]
      }),
    )
  const converged = (step: Step) => {
    const found = asked(step.read)
    const difference = step.diff(found)
    if (difference) for (const { script } of step.apply(found)) spawnSync('sh', ['-c', script.text])
    return difference
  }

  it('are used ones, latest first, then rolled-back ones, then unused ones', () => {
    have({ [OLD]: 1000, [NOW]: 2000, [BAD]: 1, [FRESH]: 0, 'before-the-move': 3000 }, NOW)
    expect(asked(releasesAt(root))).to.deep.equal({
      current: NOW,
      all: [
        { id: NOW, state: 'used' },
        { id: OLD, state: 'used' },
        { id: BAD, state: 'rolled back' },
        { id: FRESH, state: undefined },
      ],
    })
  })

  it('become the latest when they become current, and the diff has the previous one', () => {
    have({ [OLD]: 1000, [NOW]: 0 }, NOW)
    expect(converged(markReleaseCurrent(root, NOW))).to.deep.equal({
      action: 'change',
      fields: [{ name: 'release', from: OLD, to: NOW }],
    })
    expect(asked(releasesAt(root)).all.map(({ id }) => id)).to.deep.equal([NOW, OLD])
    expect(converged(markReleaseCurrent(root, NOW))).to.equal(undefined)
  })

  it('are not marked as current while the link leads elsewhere', () => {
    have({ [OLD]: 1000, [NOW]: 0 }, OLD)
    converged(markReleaseCurrent(root, NOW))
    expect(statSync(join(root, 'releases', NOW)).mtimeMs).to.equal(0)
  })

  it('are marked as rolled back once, and as used again when they become current', () => {
    have({ [NOW]: 1000 }, NOW)
    expect(converged(markReleaseRolledBack(root, NOW))?.action).to.equal('change')
    expect(converged(markReleaseRolledBack(root, NOW))).to.equal(undefined)
    expect(converged(markReleaseRolledBack(root, '60e000000000'))).to.equal(undefined)
    converged(markReleaseCurrent(root, NOW))
    expect(asked(releasesAt(root)).all).to.deep.equal([{ id: NOW, state: 'used' }])
  })
})
