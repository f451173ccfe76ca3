import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'

const ROOT = resolve(import.meta.dirname, '../..')

const text = readFileSync(join(import.meta.dirname, 'refused.ts'), 'utf8')
const lines = text.split('\n')
const expected = lines.flatMap((one, i) => {
  const [, says] = /@ts-expect-error says: (.*)$/.exec(one) ?? []
  return says === undefined ? [] : [{ line: i + 2, what: (lines[i + 1] ?? '').trim(), says }]
})

const project = {
  extends: join(ROOT, 'tsconfig.json'),
  compilerOptions: {
    paths: { 'provision-ts': [join(ROOT, 'src/index.ts')] },
    typeRoots: [join(ROOT, 'node_modules/@types')],
    types: ['node'],
  },
  include: ['refused.ts'],
}

describe('the compiler', () => {
  /** Its words about each line, when nothing keeps it from saying them. */
  let said: ReadonlyMap<number, string>

  before(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'provision-types-'))
    writeFileSync(join(directory, 'refused.ts'), text.replaceAll('// @ts-expect-error ', '// '))
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(project))
    said = wordsOf(await compiled(directory))
    rmSync(directory, { recursive: true })
  })

  for (const { line, what, says } of expected) {
    it(`refuses ${what}`, () => {
      expect(said.get(line)?.replaceAll(/\s+/g, ' ')).to.include(says)
    })
  }

  it('refuses nothing else', () => {
    expect([...said.keys()].filter((line) => !expected.some((one) => one.line === line))).to.deep.equal([])
  })
})

function compiled(directory: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  return new Promise((done) => {
    execFile(process.execPath, [tsc, '-p', directory, '--pretty', 'false'], (_error, stdout) => done(stdout))
  })
}

/** `refused.ts(12,5): error TS2322: …`, and below it, indented, why. */
function wordsOf(output: string): ReadonlyMap<number, string> {
  const words = new Map<number, string>()
  let at = 0
  for (const one of output.split('\n')) {
    const [, line, message] = /refused\.ts\((\d+),\d+\): error (.*)$/.exec(one) ?? []
    if (line) at = Number(line)
    if (message ?? one) words.set(at, `${words.get(at) ?? ''} ${message ?? one}`)
  }
  return words
}
