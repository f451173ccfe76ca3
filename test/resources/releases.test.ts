import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Read, releaseInForce, releasesAt, releaseWithdrawn, type Step } from 'provision-ts'

describe('releases of a host', () => {
  let root: `/${string}`

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'provision-releases-')) as `/${string}`
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Releases with their times, and which one the link leads to. */
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
        return family.parse({ code: status ?? 1, stdout: `${stdout}`, stderr: `${stderr}`, bytes: stdout }, [
          query,
        ])[0]
      }),
    )
  const converged = (step: Step) => {
    const found = asked(step.read)
    const difference = step.diff(found)
    if (difference) for (const { script } of step.apply(found)) spawnSync('sh', ['-c', script.text])
    return difference
  }

  it('are told apart: used, the last one first; taken out by a person; never in force', () => {
    have({ old: 1000, now: 2000, bad: 1, fresh: 0 }, 'now')
    expect(asked(releasesAt(root))).to.deep.equal({
      current: 'now',
      all: [
        { id: 'now', state: 'used' },
        { id: 'old', state: 'used' },
        { id: 'bad', state: 'withdrawn' },
        { id: 'fresh', state: undefined },
      ],
    })
  })

  it('become the one used last when they are in force, and say which one was before', () => {
    have({ old: 1000, now: 0 }, 'now')
    expect(converged(releaseInForce(root, 'now'))).to.deep.equal({
      verb: 'change',
      fields: [{ name: 'release', from: 'old', to: 'now' }],
    })
    expect(asked(releasesAt(root)).all.map(({ id }) => id)).to.deep.equal(['now', 'old'])
    expect(converged(releaseInForce(root, 'now'))).to.equal(undefined)
  })

  it('are not called in force while the link leads elsewhere', () => {
    have({ old: 1000, now: 0 }, 'old')
    converged(releaseInForce(root, 'now'))
    expect(statSync(join(root, 'releases/now')).mtimeMs).to.equal(0)
  })

  it('are withdrawn once, and are used again when they are put in force', () => {
    have({ now: 1000 }, 'now')
    expect(converged(releaseWithdrawn(root, 'now'))?.verb).to.equal('change')
    expect(converged(releaseWithdrawn(root, 'now'))).to.equal(undefined)
    expect(converged(releaseWithdrawn(root, 'gone'))).to.equal(undefined)
    converged(releaseInForce(root, 'now'))
    expect(asked(releasesAt(root)).all).to.deep.equal([{ id: 'now', state: 'used' }])
  })
})
