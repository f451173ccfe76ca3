import { expect } from 'chai'
import { InvalidParams, Secret } from 'provision-ts'
import { type AppParams, app, appReadiness } from '../../roles/app/index.ts'
import { secretsFile } from '../../roles/app/templates.ts'
import { emptyAnswer } from '../../src/engine/read/without-hosts.ts'
import { stepsOf, textAt, textsOf } from './expanded.ts'

const UNIT = '/etc/systemd/system/notes.service'
const password = new Secret(() => 'hush')
const DATABASE = { name: 'notes', user: 'notes', password, authority: '-----BEGIN CERTIFICATE-----\n' }
const params: AppParams = {
  name: 'notes',
  start: ['node', 'server.mjs'],
  processes: 1,
  release: { directory: '/build/app', id: 'abc123' },
  listen: { address: '10.0.2.1', port: 3000 },
  databases: [{ address: '10.0.3.1' }, { address: 'fd00::3', port: 5433 }],
  database: DATABASE,
}

describe('role app', () => {
  it('sets the environment variables that the README of the service documents', () => {
    const environment = textAt(stepsOf(app(params)), UNIT).match(/(?<=^Environment=").*(?="$)/gm)
    expect(environment).to.deep.equal([
      'NODE_ENV=production',
      'RELEASE=abc123',
      'LISTEN=10.0.2.1:3000',
      'HOST=10.0.2.1',
      'PORT=3000',
      'DATABASE_HOSTS=10.0.3.1:5432,[fd00::3]:5433',
      'DATABASE_NAME=notes',
      'DATABASE_USER=notes',
      'DATABASE_CA=/etc/notes/authority.pem',
    ])
  })

  it('sets the endpoint for metrics if it is given', () => {
    const metrics = { address: '10.0.2.1', port: 3001 }
    expect(textAt(stepsOf(app({ ...params, metrics })), UNIT)).to.include('Environment="METRICS=10.0.2.1:3001"')
  })

  it('escapes the special characters of systemd', () => {
    const database = { ...DATABASE, name: '100% "mine" \\' }
    const unit = textAt(stepsOf(app({ ...params, database })), UNIT)
    expect(unit).to.include(String.raw`Environment="DATABASE_NAME=100%% \"mine\" \\"`)
  })

  it('rejects a value with a line break, which would add a line to the unit', () => {
    const database = { ...DATABASE, user: 'notes"\nExecStartPre="rm' }
    expect(() => stepsOf(app({ ...params, database }))).to.throw(
      InvalidParams,
      'has a line break, which a line of a unit cannot have.',
    )
  })

  it('passes the password as a credential and shows it nowhere', () => {
    const steps = stepsOf(app(params))
    expect(textAt(steps, UNIT)).to.include('LoadCredential=db-password:/etc/notes/db-password')
    expect(textsOf(steps).get('/etc/notes/db-password')).to.equal(undefined)
    expect([...textsOf(steps).values()].join()).not.to.include('hush')
  })

  it('switches release, unit, authority and password in one transaction, with one restart', () => {
    const restarting = stepsOf(app(params)).filter(({ satisfies, notify }) => satisfies.length + notify.length > 0)
    expect(restarting.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal(['transaction notes abc123'])
    const [first] = restarting
    expect(first?.diff(emptyAnswer(first.read))?.parts?.map(({ name }) => name)).to.deep.equal([
      'link /srv/notes/current',
      'unit /etc/systemd/system/notes.service',
      'file /etc/notes/authority.pem',
      'file /etc/notes/db-password',
    ])
  })

  it('does not set MemoryDenyWriteExecute, which would break the JIT compiler of Node', () => {
    expect(textAt(stepsOf(app(params)), UNIT)).not.to.match(/^MemoryDenyWriteExecute/m)
  })

  it('allows a low port, and grants no other capability', () => {
    const bounding = (port: number) =>
      /^CapabilityBoundingSet=(.*)$/m.exec(
        textAt(stepsOf(app({ ...params, listen: { ...params.listen, port } })), UNIT),
      )?.[1]
    expect(bounding(3000)).to.equal('')
    expect(bounding(80)).to.equal('CAP_NET_BIND_SERVICE')
  })

  it('uses the name of the service everywhere', () => {
    const steps = stepsOf(app({ ...params, name: 'wiki' }))
    const texts = [...textsOf(steps)].join('\n') + steps.map(({ name }) => name).join('\n')
    expect(texts).to.include('WorkingDirectory=/srv/wiki/current').and.not.to.include('/notes')
  })

  it('checks the readiness at the address of the service', () => {
    expect(appReadiness({ address: 'fd00::1', port: 3000 }, '/readyz').label).to.equal(
      'GET http://[fd00::1]:3000/readyz',
    )
    expect(appReadiness({ address: '10.0.2.1', port: 3000 }).label).to.equal('GET http://10.0.2.1:3000/')
  })

  it('starts a command in the directory of the release, with the values of variables', () => {
    const exec = (...start: readonly string[]) =>
      /^ExecStart=(.*)$/m.exec(textAt(stepsOf(app({ ...params, start })), UNIT))?.[1]
    expect(exec('node', 'bin/run.js', '--listen', '${HOST}:${PORT}')).to.equal(
      '/usr/bin/node bin/run.js --listen 10.0.2.1:3000',
    )
    expect(exec('./bin/server', 'two words', '50%', '$5')).to.equal(
      '/srv/notes/current/bin/server "two words" "50%%" "$$5"',
    )
    expect(exec('gunicorn', 'app:app')).to.equal('gunicorn app:app')
    expect(() => exec('node', '${PROT}')).to.throw('${PROT} is not a variable of the application.')
  })

  it('starts one process of Node.js per core by default, which share the port', () => {
    const { processes: _one, ...several } = params
    const steps = stepsOf(app({ ...several, start: ['node', '--enable-source-maps', 'server.mjs', 'quiet'] }))
    expect(textAt(steps, UNIT)).to.include(
      'ExecStart=/usr/bin/node --enable-source-maps /usr/local/lib/provision/processes.mjs 4 server.mjs quiet\n',
    )
    expect(textAt(steps, '/usr/local/lib/provision/processes.mjs')).to.include('cluster.fork()')
    expect(textAt(stepsOf(app({ ...several, start: ['./server'] })), UNIT)).not.to.include('processes.mjs')
  })

  it('has no files of a database if the application has none', () => {
    const { database: _database, databases: _databases, ...others } = params
    const steps = stepsOf(app(others))
    expect(textAt(steps, UNIT)).not.to.match(/DATABASE|LoadCredential/)
    expect([...textsOf(steps).keys()].filter((path) => path.startsWith('/etc/notes/'))).to.deep.equal([])
  })

  it('keeps variables with secret values in a file that only root reads', () => {
    const secrets = { TOKEN: new Secret(() => 'hush') }
    const steps = stepsOf(app({ ...params, secrets, environment: { GREETING: 'at ${PORT}' } }))
    expect(textAt(steps, UNIT))
      .to.include('EnvironmentFile=/etc/notes/secrets\n')
      .and.to.include('Environment="GREETING=at 3000"\n')
      .and.not.to.include('TOKEN')
    expect([...textsOf(steps).values()].join()).not.to.include('hush')
  })

  it('escapes the characters of secret values that systemd and shells treat as special', () => {
    const file = secretsFile({ TOKEN: new Secret(() => 'a"b\\c$d`e\nf'), OTHER: new Secret(() => "it's") })
    expect(file.reveal()).to.equal('TOKEN="a\\"b\\\\c\\$d\\`e\nf"\nOTHER="it\'s"\n')
  })

  it('has units for workers and timers for jobs, with the environment of the service', () => {
    const more = {
      workers: { mailer: { start: ['node', 'mailer.mjs'] } },
      jobs: { tidy: { start: ['node', 'tidy.mjs'], at: 'daily' } },
    }
    const steps = stepsOf(app({ ...params, ...more }))
    const mailer = textAt(steps, '/etc/systemd/system/notes-mailer.service')
    expect(mailer).to.include('ExecStart=/usr/bin/node mailer.mjs\n').and.to.include('Environment="PORT=3000"\n')
    expect(mailer).to.include('Restart=always\n').and.to.include('WantedBy=multi-user.target')
    const tidy = textAt(steps, '/etc/systemd/system/notes-tidy.service')
    expect(tidy)
      .to.include('Type=oneshot\n')
      .and.not.to.match(/Restart=|WantedBy/)
    expect(textAt(steps, '/etc/systemd/system/notes-tidy.timer')).to.include('OnCalendar=daily\n')
    const services = steps.filter(({ kind }) => kind === 'service').map(({ name }) => name)
    expect(services.join()).to.match(/notes.*notes-mailer.*notes-tidy\.timer/)
  })

  it('migrates in the directory of the new release', () => {
    const steps = stepsOf(app({ ...params, migrate: ['node', 'migrate.mjs'] }))
    expect(textAt(steps, '/etc/systemd/system/notes-migrate.service'))
      .to.include('WorkingDirectory=/srv/notes/releases/abc123\n')
      .and.to.include('ExecStart=/usr/bin/node migrate.mjs\n')
    const script = (of: Partial<AppParams>) =>
      stepsOf(app({ ...params, ...of }))
        .flatMap(({ satisfies }) => satisfies)
        .flatMap(({ commands }) => commands.map((one) => one.script.text))
        .join()
    // A rollback would otherwise run an old one again.
    expect(script({ migrate: ['node', 'migrate.mjs'] })).to.include('/var/lib/provision/migrated-notes')
    expect(script({})).not.to.include('migrate')
  })
})
