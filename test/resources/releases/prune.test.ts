import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { pruneReleases } from 'provision-ts'

/** The ids that tests know by other names. */
const names = new Map<string, string>()

function idOf(name: string): string {
  const [word = '', ...more] = name.split('.')
  const id = [createHash('sha256').update(word).digest('hex').slice(0, 12), ...more].join('.')
  names.set(id, name)
  return id
}

describe('pruned releases', () => {
  let root: `/${string}`

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'provision-releases-')) as `/${string}`
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Releases, the oldest first, and which one the link leads to. */
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
  /** Does what the step wants, for real. */
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

  it('keeps the wanted one and the newest of the others', () => {
    have(['a', 'b', 'c', 'd'], 'c')
    prune('d')
    expect(left()).to.equal('b c d')
    expect(prune('d')).to.equal(undefined)
  })

  it('counts the wanted one before it is there', () => {
    have(['a', 'b', 'c'], 'c')
    prune('d')
    expect(left()).to.equal('b c')
  })

  it('keeps the one in force, however many refused ones came after it', () => {
    have(['good', 'bad1', 'bad2', 'bad3', 'new'], 'good')
    prune('new')
    expect(left()).to.equal('bad3 good new')
  })

  it('keeps what a rollback has taken out, beside the others: it must be known when it is wanted again', () => {
    have(['a', 'b', 'c', 'out'], 'c')
    utimesSync(at('out'), 1, 1)
    prune('d')
    expect(left()).to.equal('b c out')
  })

  it('keeps of those that rollbacks have taken out as many, the last ones', () => {
    have(['a', 'out1', 'out2', 'out3', 'out4'], 'a')
    // The kernel notes when that was.
    for (const name of ['out3', 'out1', 'out4', 'out2']) {
      spawnSync('sleep', ['0.02'])
      utimesSync(at(name), 1, 1)
    }
    prune('b', 2)
    expect(left()).to.equal('a out2 out4')
    expect(prune('b', 2)).to.equal(undefined)
  })

  it('leaves alone what people have put beside them', () => {
    have(['a', 'b', 'c', 'd'], 'd')
    for (const name of ['before-the-move', 'a1b2c3d4e5f6.bak', 'lost+found'])
      mkdirSync(join(root, 'releases', name))
    prune('d', 2)
    expect(left()).to.equal('a1b2c3d4e5f6.bak before-the-move c d lost+found')
  })

  it('takes away what was left half unpacked', () => {
    have(['a', 'b.incoming'], 'a')
    prune('a')
    expect(left()).to.equal('a')
  })

  it('keeps two at least: the one before is what a rollback needs', () => {
    have(['a', 'b', 'c'], 'b')
    prune('c', 1)
    expect(left()).to.equal('b c')
  })

  it('wants nothing where there are no releases yet', () => {
    expect(prune('a')).to.equal(undefined)
    expect(existsSync(join(root, 'releases'))).to.equal(false)
  })
})
