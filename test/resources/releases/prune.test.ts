import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { pruneReleases } from 'provision-ts'

/** The names of ids in this test. */
const names = new Map<string, string>()

function idOf(name: string): string {
  const [word = '', ...more] = name.split('.')
  const id = [createHash('sha256').update(word).digest('hex').slice(0, 12), ...more].join('.')
  names.set(id, name)
  return id
}

describe('pruneReleases', () => {
  let root: `/${string}`

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'provision-releases-')) as `/${string}`
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Creates releases, oldest first, and the link to the current one. */
  const have = (names: readonly string[], current?: string) => {
    names.forEach((name, i) => {
      mkdirSync(at(name), { recursive: true })
      utimesSync(at(name), 1000 + i, 1000 + i)
    })
    if (current !== undefined) symlinkSync(`releases/${idOf(current)}`, join(root, 'current'))
  }
  const at = (name: string) => join(root, 'releases', idOf(name))
  const left = () =>
    readdirSync(join(root, 'releases'))
      .map((id) => names.get(id) ?? id)
      .sort()
      .join(' ')
  /** Applies the step. */
  const prune = (wanted: string, keep?: number) => {
    const step = pruneReleases(root, { wanted: idOf(wanted), ...(keep !== undefined && { keep }) })
    const found = step.read.value(
      step.read.parts.map(({ family, query }) => {
        const { status, stdout, stderr } = spawnSync('sh', ['-c', family.script([query]).text])
        const answer = { code: status ?? 1, stdout: `${stdout}`, stderr: `${stderr}`, bytes: stdout }
        return family.parse(answer, [query])[0]
      }),
    )
    const difference = step.diff(found)
    if (difference) for (const { script } of step.apply(found)) spawnSync('sh', ['-c', script.text])
    return difference
  }

  it('keeps the wanted release and the newest others', () => {
    have(['a', 'b', 'c', 'd'], 'c')
    prune('d')
    expect(left()).to.equal('b c d')
    expect(prune('d')).to.equal(undefined)
  })

  it('counts the wanted release before it exists', () => {
    have(['a', 'b', 'c'], 'c')
    prune('d')
    expect(left()).to.equal('b c')
  })

  it('keeps the current release, even after many failed ones', () => {
    have(['good', 'bad1', 'bad2', 'bad3', 'new'], 'good')
    prune('new')
    expect(left()).to.equal('bad3 good new')
  })

  it('keeps rolled-back releases in addition, so that they are recognized later', () => {
    have(['a', 'b', 'c', 'out'], 'c')
    utimesSync(at('out'), 1, 1)
    prune('d')
    expect(left()).to.equal('b c out')
  })

  it('keeps the same number of rolled-back releases, the latest ones', () => {
    have(['a', 'out1', 'out2', 'out3', 'out4'], 'a')
    // This sets the change time.
    for (const name of ['out3', 'out1', 'out4', 'out2']) {
      spawnSync('sleep', ['0.02'])
      utimesSync(at(name), 1, 1)
    }
    prune('b', 2)
    expect(left()).to.equal('a out2 out4')
    expect(prune('b', 2)).to.equal(undefined)
  })

  it('keeps files of others', () => {
    have(['a', 'b', 'c', 'd'], 'd')
    for (const name of ['before-the-move', 'a1b2c3d4e5f6.bak', 'lost+found']) mkdirSync(join(root, 'releases', name))
    prune('d', 2)
    expect(left()).to.equal('a1b2c3d4e5f6.bak before-the-move c d lost+found')
  })

  it('removes incomplete releases', () => {
    have(['a', 'b.incoming'], 'a')
    prune('a')
    expect(left()).to.equal('a')
  })

  it('keeps at least two releases, since a rollback needs the previous one', () => {
    have(['a', 'b', 'c'], 'b')
    prune('c', 1)
    expect(left()).to.equal('b c')
  })

  it('does nothing without releases', () => {
    expect(prune('a')).to.equal(undefined)
    expect(existsSync(join(root, 'releases'))).to.equal(false)
  })
})
