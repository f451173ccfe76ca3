import { expect } from 'chai'
import { Secret } from 'provision-ts'
import { type AppParams, app, appReadiness } from '../../roles/app/index.ts'
import { emptyAnswer } from '../../src/engine/read/without-hosts.ts'
import { stepsOf, textAt, textsOf } from './expanded.ts'

const UNIT = '/etc/systemd/system/notes.service'
const params: AppParams = {
  release: { directory: '/build/app', id: 'abc123' },
  listen: { address: '10.0.2.1', port: 3000 },
  databases: [{ address: '10.0.3.1' }, { address: 'fd00::3', port: 5433 }],
  database: {
    name: 'notes',
    user: 'notes',
    password: new Secret(() => 'hush'),
    authority: '-----BEGIN CERTIFICATE-----\n',
  },
}

describe('role app', () => {
  it('sets the environment variables that the README of the service documents', () => {
    const environment = textAt(stepsOf(app(params)), UNIT).match(/(?<=^Environment=").*(?="$)/gm)
    expect(environment).to.deep.equal([
      'NODE_ENV=production',
      'RELEASE=abc123',
      'LISTEN=10.0.2.1:3000',
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
    const database = { ...params.database, name: '100% "mine" \\' }
    const unit = textAt(stepsOf(app({ ...params, database })), UNIT)
    expect(unit).to.include(String.raw`Environment="DATABASE_NAME=100%% \"mine\" \\"`)
  })

  it('rejects a value with a line break, which would add a line to the unit', () => {
    const database = { ...params.database, user: 'notes"\nExecStartPre="rm' }
    expect(() => stepsOf(app({ ...params, database }))).to.throw('has a line break')
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
    expect(texts).to.include('/srv/wiki/current/server.mjs').and.not.to.include('/notes')
  })

  it('checks the readiness at the address of the service', () => {
    expect(appReadiness({ address: 'fd00::1', port: 3000 }).label).to.equal('GET http://[fd00::1]:3000/readyz')
  })
})
