import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { ConfigProblem, readConfig } from '../../examples/notes-api/src/config.ts'
import { type Env, environment } from './notes-api.ts'

const example = fileURLToPath(new URL('../../examples/notes-api', import.meta.url))

describe('notes-api configuration', () => {
  let env: Env

  before(async () => {
    env = await environment()
  })

  after(() => rmSync(env['CREDENTIALS_DIRECTORY'] ?? '', { recursive: true }))

  it('reads each variable, and the password without its line end', () => {
    const { listen, release, database } = readConfig({ ...env, DATABASE_HOSTS: 'db1:5432, [::1]:5433' })
    expect(listen).to.deep.equal({ host: '127.0.0.1', port: 0 })
    expect(release).to.equal('r7')
    expect(database).to.deep.equal({
      hosts: [
        { host: 'db1', port: 5432 },
        { host: '::1', port: 5433 },
      ],
      name: 'notes',
      user: 'notes',
      password: 'correct horse',
      record: undefined,
      ca: undefined,
    })
  })

  it('reports all missing variables at once', () => {
    expect(problemsOf({}).map((line) => line.split(' ')[0])).to.deep.equal([
      'LISTEN',
      'DATABASE_HOSTS',
      'DATABASE_NAME',
      'DATABASE_USER',
      'CREDENTIALS_DIRECTORY',
    ])
  })

  it('reports an invalid value with the expected format', () => {
    expect(problemsOf({ ...env, LISTEN: '3000' })).to.deep.equal([
      "LISTEN has '3000', which is not address:port (IPv6 goes into brackets: [::1]:3000)",
    ])
    expect(problemsOf({ ...env, DATABASE_HOSTS: 'db1:5432,db2:99999' })[0]).to.match(/^DATABASE_HOSTS has 'db2:99999'/)
    const notPem = join(env['CREDENTIALS_DIRECTORY'] ?? '', 'db-password')
    expect(problemsOf({ ...env, DATABASE_CA: notPem })).to.deep.equal([
      `DATABASE_CA names ${notPem}, which holds no certificate in PEM`,
    ])
    expect(problemsOf({ ...env, CREDENTIALS_DIRECTORY: '/nowhere' })[0]).to.match(
      /^CREDENTIALS_DIRECTORY leads to \/nowhere\/db-password, which cannot be read/,
    )
  })

  describe('as a process', () => {
    before(function () {
      // The database driver is a dependency of the example only; `npm ci` there installs it.
      if (!existsSync(join(example, 'node_modules/pg'))) this.skip()
    })

    it('exits with 78 and names the variable if the configuration is invalid', async () => {
      const { code, lines } = await run({ ...env, DATABASE_NAME: '' })
      expect(code).to.equal(78)
      expect(lines).to.have.length(1)
      expect(lines[0]).to.include({ level: 'error', message: 'bad configuration' })
      expect(lines[0]?.['problem']).to.match(/^DATABASE_NAME is missing/)
    })

    it('runs without a database until SIGTERM, then exits with 0', async () => {
      const { code, lines } = await run(env, { termAfter: 'not ready' })
      expect(code).to.equal(0)
      expect(lines.map((line) => line['message'])).to.deep.equal(['listening', 'not ready', 'stopping', 'stopped'])
      expect(lines[1]?.['reason']).to.include('ECONNREFUSED')
    })
  })
})

function problemsOf(env: Env): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigProblem) return error.problems
    throw error
  }
  throw new Error('no problem was found')
}

type Line = Readonly<Record<string, unknown>>

/** Runs main.ts with this environment only, and ends it when it logs this message. */
async function run(env: Env, { termAfter }: { termAfter?: string } = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(example, 'src/main.ts')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const lines: Line[] = []
  for await (const text of createInterface(child.stdout)) {
    const line: Line = JSON.parse(text)
    lines.push(line)
    if (line['message'] === termAfter) child.kill('SIGTERM')
  }
  const [code] = await ended
  return { code, lines }
}
