import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { bundle } from '../../bin/bundle.js'
import type { Source } from '../../src/model/source.ts'
import { formatSource } from '../../src/report/problem.ts'
import { Project } from './project.ts'

describe('a bundle', () => {
  let project: Project
  beforeEach(() => {
    project = new Project({
      'main.ts': `import { name } from './lib/name.ts'\nexport const greeting: string = \`hello \${name}\`\n`,
      'lib/name.ts': `export const name: string = 'world'\n`,
    })
  })
  afterEach(() => project.remove())

  const outdir = () => join(project.directory, 'out')
  const made = (more: Partial<Parameters<typeof bundle>[0]> = {}) =>
    bundle({ entries: { main: join(project.directory, 'main.ts') }, outdir: outdir(), ...more })
  const text = () => readFileSync(join(outdir(), 'main.js'), 'utf8')

  it('contains the files and all that they import', async () => {
    const { fresh, inputs } = await made()
    expect(fresh).to.equal(true)
    expect([...inputs].sort()).to.deep.equal(['lib/name.ts', 'main.ts'].map((name) => join(project.directory, name)))
    expect(text()).to.include('world')
  })

  it('is reused if nothing has changed', async () => {
    await made()
    const before = statSync(join(outdir(), 'main.js')).mtimeMs
    const { fresh, inputs } = await made()
    expect([fresh, inputs.length]).to.deep.equal([false, 2])
    expect(statSync(join(outdir(), 'main.js')).mtimeMs).to.equal(before)
  })

  it('deletes chunks of earlier builds that no process can still load', async () => {
    const chunks = () => readdirSync(outdir()).filter((name) => /^chunk-.*js$/.test(name))
    const parts = (word: string) => `export const later = async () => (await import('./late.ts')).late + '${word}'\n`
    project.write('late.ts', `import { name } from './lib/name.ts'\nexport const late = name\n`)
    project.write('main.ts', `import { name } from './lib/name.ts'\n${parts(' ')}export const greeting = name\n`)
    await made()
    const first = chunks()
    project.write('lib/name.ts', `export const name: string = 'there'\n`)
    await made()
    expect(chunks()).to.include.members(first).and.to.have.length.above(first.length)
    writeFileSync(join(outdir(), 'notes.js'), '')
    for (const name of [...first, 'notes.js']) utimesSync(join(outdir(), name), 1, 1)
    project.write('lib/name.ts', `export const name: string = 'everywhere'\n`)
    await made()
    for (const name of first) expect(chunks()).to.not.include(name)
    expect(readdirSync(outdir())).to.include('notes.js')
  })

  it('is built again if the content or the time of an imported file has changed, or if it is missing', async () => {
    await made()
    project.write('lib/name.ts', `export const name: string = 'there'\n`)
    expect((await made()).fresh).to.equal(true)
    expect(text()).to.include('there')
    utimesSync(join(project.directory, 'lib/name.ts'), 1, 1)
    expect((await made()).fresh).to.equal(true)
    project.write('main.ts', `export const greeting = 'alone'\n`)
    rmSync(join(project.directory, 'lib'), { recursive: true })
    expect((await made()).inputs).to.have.length(1)
  })

  it('is built again if its entries or aliases have changed', async () => {
    await made()
    expect((await made({ alias: { 'provision-ts': '/elsewhere.js' } })).fresh).to.equal(true)
    expect((await made({ alias: { 'provision-ts': '/elsewhere.js' } })).fresh).to.equal(false)
  })

  it('is written to new files, so that running processes can read the old ones', async () => {
    await made()
    const before = statSync(join(outdir(), 'main.js')).ino
    const reading = openSync(join(outdir(), 'main.js'), 'r')
    project.write('lib/name.ts', `export const name: string = 'there'\n`)
    await made()
    expect(statSync(join(outdir(), 'main.js')).ino).not.to.equal(before)
    expect(readFileSync(reading, 'utf8')).to.include('world')
    closeSync(reading)
    expect(readdirSync(outdir()).sort()).to.deep.equal(['inputs.json', 'main.js', 'main.js.map'])
  })

  it('is not reused after a failed build', async () => {
    await made()
    project.write('lib/name.ts', 'export const name = ')
    const failed = await made().then(
      () => false,
      () => true,
    )
    expect(failed).to.equal(true)
    project.write('lib/name.ts', `export const name: string = 'fixed'\n`)
    expect((await made()).fresh).to.equal(true)
  })

  it('keeps import.meta of each file', async () => {
    mkdirSync(join(project.directory, 'deep'))
    project.write('deep/where.ts', 'export const where = import.meta.url\n')
    project.write('main.ts', `export { where } from './deep/where.ts'\nexport const here = import.meta.dirname\n`)
    await made()
    const { where, here }: { where: string; here: string } = await import(pathToFileURL(join(outdir(), 'main.js')).href)
    expect(where).to.equal(pathToFileURL(join(project.directory, 'deep/where.ts')).href)
    expect(here).to.equal(project.directory)
  })

  it('has source locations of the original files', async () => {
    project.write(
      'main.ts',
      `import type { Step } from 'provision-ts'
import { file } from 'provision-ts'

interface Nothing {
  readonly at: string
}
export const step: Step = file('/a', 'text')
export const none: Nothing = { at: '' }
`,
    )
    await made({ alias: { 'provision-ts': join(import.meta.dirname, '../../src/index.js') } })
    const { step }: { step: { source: Source } } = await import(pathToFileURL(join(outdir(), 'main.js')).href)
    expect(formatSource(step.source)).to.match(/\/main\.ts:7:\d+$/)
    expect(formatSource('inventory.ts:1:2')).to.equal('inventory.ts:1:2')
  })
})
