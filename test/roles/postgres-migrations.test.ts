import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { schemaVersion } from '../../examples/notes-api/src/database/schema.ts'
import { migrationsIn, postgresMigrations } from '../../roles/postgres/resources/migrations.ts'
import { Problem } from '../../src/model/problem.ts'
import { said } from './postgres.ts'

describe('migrations of a schema', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'migrations-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const write = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  }
  const step = () =>
    postgresMigrations({
      ...{ database: 'notes', schema: 'notes', owner: 'notes_owner' },
      migrations: migrationsIn(directory),
    })

  it('are files that are numbered without a gap', () => {
    write({ '0001-first.sql': 'select 1', '0002-second.sql': 'select 2' })
    expect(migrationsIn(directory).map(({ version, name }) => [version, name])).to.deep.equal([
      [1, '0001-first.sql'],
      [2, '0002-second.sql'],
    ])
    for (const wrong of ['0004-gap.sql', '0002-twice.sql', 'note.txt']) {
      write({ [wrong]: '' })
      expect(() => migrationsIn(directory), wrong).to.throw(Problem, 'is not a migration, or not the next one')
      rmSync(join(directory, wrong))
    }
  })

  it('are rejected if one is too large for a single query', () => {
    write({ '0001-large.sql': '-'.repeat(100_001) })
    expect(() => migrationsIn(directory)).to.throw(Problem, 'larger than 100 kB')
  })

  it('start at the current version of the schema; a newer schema does not change', () => {
    write({ '0001-first.sql': 'select 1', '0002-second.sql': 'select 2' })
    expect(step().diff({ version: 1 })?.fields).to.deep.equal([{ name: 'migration', to: '0002-second.sql' }])
    expect(said(step(), { version: 1 }).input).to.equal('select 2')
    expect(step().diff({ version: 2 })).to.equal(undefined)
    expect(step().diff({ version: 7 })).to.equal(undefined)
    expect(step().diff(undefined)?.fields).to.have.length(2)
  })

  it('of the application match the schema version that it requires', () => {
    const own = join(import.meta.dirname, '../../examples/notes-api/migrations')
    expect(migrationsIn(own)).to.have.length(schemaVersion)
  })
})
