import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { expect } from 'chai'
import { ROOT } from './files.ts'

/** Code lines are those that are neither blank nor comments: doc comments are wanted, so they do not count. */
interface Size {
  readonly lines: number
  readonly files: number
}

interface Budget extends Size {
  /** The resource kinds and the features that came after the limits below were set: the engine as a library, policies, plans for comments. */
  readonly added?: Size
}

/**
 * The maximum size of each folder of `src`, without the lab, which is a program of its own. A new resource kind raises `added` of
 * `resources` by its size, and its exports the row of `index.ts`. Other work stays within the row, or another row becomes smaller.
 */
const BUDGETS: Readonly<Record<string, Budget>> = {
  shell: { lines: 310, files: 6 },
  // Also steps and reads that equal hosts share, and runs with more hosts than forks.
  model: { lines: 2_210, files: 30, added: { lines: 660, files: 7 } },
  resources: { lines: 3_240, files: 33, added: { lines: 6_290, files: 59 } },
  engine: { lines: 3_120, files: 30, added: { lines: 1_160, files: 10 } },
  transport: { lines: 3_750, files: 37 },
  secrets: { lines: 250, files: 3 },
  pki: { lines: 390, files: 7 },
  ansible: { lines: 1_235, files: 11 },
  report: { lines: 2_390, files: 27, added: { lines: 670, files: 5 } },
  hooks: { lines: 0, files: 0, added: { lines: 400, files: 3 } },
  doctor: { lines: 350, files: 3 },
  api: { lines: 175, files: 1, added: { lines: 510, files: 8 } },
  // The stack and the roles as packages in the repository, comments as descriptions, templates of projects.
  cli: { lines: 3_160, files: 36, added: { lines: 1_050, files: 10 } },
  testing: { lines: 270, files: 5, added: { lines: 10, files: 0 } },
  'index.ts': { lines: 130, files: 1, added: { lines: 35, files: 0 } },
}

const CORE = ['shell', 'model', 'resources', 'engine']

/** The limits of the rows together, without the kinds that were added. */
const CORE_LINES = 9_000
const ALL: Size = { lines: 21_000, files: 230 }

const PROGRAMS = ['lab']

describe('the size of the sources', () => {
  it('is within the budget of each folder', () => {
    expect(excesses(sizesOf(join(ROOT, 'src')), BUDGETS)).to.deep.equal([])
  })

  it('has budgets that are within the limits of the core and of all sources', () => {
    const core = sum(CORE.map((folder) => BUDGETS[folder] ?? { lines: 0, files: 0 }))
    const all = sum(Object.values(BUDGETS))
    expect(core.lines, 'the rows of the core: make one of them smaller').to.be.at.most(CORE_LINES)
    expect(all.lines, 'the lines of all rows: make one of them smaller').to.be.at.most(ALL.lines)
    expect(all.files, 'the files of all rows: make one of them smaller').to.be.at.most(ALL.files)
  })

  it('names a folder that is too large, one without a budget, and one that is gone', () => {
    const root = mkdtempSync(join(tmpdir(), 'provision-budgets-'))
    try {
      plant(root, 'model/a.ts', '/**\n * A comment.\n */\n\nconst a = 1\n// And another.\nconst b = 2\n')
      plant(root, 'model/deep/b.ts', 'const c = 3\n')
      plant(root, 'lab/c.ts', 'const d = 4\n')
      const sizes = sizesOf(root)
      expect([...sizes]).to.deep.equal([['model', { lines: 3, files: 2 }]])
      expect(excesses(sizes, { model: { lines: 3, files: 2 } })).to.deep.equal([])
      expect(excesses(sizes, { model: { lines: 2, files: 1, added: { lines: 1, files: 1 } } })).to.deep.equal([])
      expect(excesses(sizes, { model: { lines: 2, files: 2 } })).to.deep.equal([
        `src/model has 3 code lines in 2 files, its budget is 2 in 2: ${ADVICE}`,
      ])
      expect(excesses(sizes, { model: { lines: 3, files: 1 } })).to.have.length(1)
      expect(excesses(sizes, {})).to.deep.equal(['src/model has no budget: add a row to BUDGETS in this test'])
      expect(excesses(new Map(), { model: { lines: 3, files: 2 } })).to.deep.equal([
        'src/model does not exist: remove its row from BUDGETS in this test',
      ])
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})

const ADVICE =
  'remove code that is repeated or unused, or merge a small file into its only reader; for a new resource kind, raise `added` in this test by its size'

function excesses(sizes: ReadonlyMap<string, Size>, budgets: Readonly<Record<string, Budget>>): readonly string[] {
  const large = [...sizes].flatMap(([folder, { lines, files }]) => {
    const budget = budgets[folder]
    if (!budget) return [`src/${folder} has no budget: add a row to BUDGETS in this test`]
    const most = sum([budget, budget.added ?? { lines: 0, files: 0 }])
    if (lines <= most.lines && files <= most.files) return []
    const has = `${lines} code lines in ${files} files`
    return [`src/${folder} has ${has}, its budget is ${most.lines} in ${most.files}: ${ADVICE}`]
  })
  const gone = Object.keys(budgets).filter((folder) => !sizes.has(folder))
  return [...large, ...gone.map((folder) => `src/${folder} does not exist: remove its row from BUDGETS in this test`)]
}

/** The size of each folder, and of each file that is in none. */
function sizesOf(root: string): ReadonlyMap<string, Size> {
  const sizes = new Map<string, Size>()
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const [folder = ''] = relative(root, path).split('/')
    if (!entry.isFile() || !path.endsWith('.ts') || PROGRAMS.includes(folder)) continue
    const own = { lines: codeLines(readFileSync(path, 'utf8')), files: 1 }
    sizes.set(folder, sum([sizes.get(folder) ?? { lines: 0, files: 0 }, own]))
  }
  return sizes
}

function codeLines(text: string): number {
  return text.split('\n').filter((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line)).length
}

function sum(sizes: readonly Size[]): Size {
  return {
    lines: sizes.reduce((all, { lines }) => all + lines, 0),
    files: sizes.reduce((all, { files }) => all + files, 0),
  }
}

function plant(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
