import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type PatroniParams, patroniConfiguration, type Synchronous } from '../../roles/patroni/index.ts'
import { parseState } from '../../roles/patroni/lib/state.ts'
import { dynamicOf } from '../../roles/patroni/params.ts'
import { patroniCluster } from '../../roles/patroni/resources/cluster.ts'
import { differing, dynamicConfiguration, parseConfig } from '../../roles/patroni/resources/dynamic.ts'
import { limitsInForce } from '../../roles/patroni/resources/limits.ts'
import { isRecent, recentPatroni } from '../../roles/patroni/resources/version.ts'
import { managerOf } from '../../roles/postgres/lib/manager.ts'
import { limitsFor } from '../../roles/postgres/lib/settings.ts'
import { Secret } from '../../src/index.ts'
import { votes } from '../../stack/lib/rules.ts'
import { unreachableProblem } from '../../stack/tiers/automatic-failover.ts'
import { wordsOf } from '../support/words.ts'
import { stepsOf, textAt } from './expanded.ts'

const member = (name: string, address: string, group = 'db') => ({ name, address, group })
const PARAMS: PatroniParams = {
  ...{ name: 'db1', address: '10.0.3.1', authority: 'the authority' },
  certificate: { certificate: 'the certificate', key: new Secret(() => 'the-key-of-db1') },
  passwords: { replication: new Secret(() => 'a "quoted" password') },
  etcd: [member('db1', '10.0.3.1'), member('db2', '10.0.3.2'), member('witness1', '10.0.3.9', 'witness')],
}
const DEBIAN = { os: { id: 'debian', version: '13', codename: 'trixie' } }
const steps = (more: Partial<PatroniParams> = {}) => stepsOf(patroniConfiguration({ ...PARAMS, ...more }), DEBIAN)

describe('role patroni', () => {
  it('disables the start of the server by systemd once Patroni manages its configuration', () => {
    const text = textAt(steps(), '/etc/systemd/system/postgresql@17-main.service.d/under-patroni.conf')
    expect(text).to.include('overwritten by Patroni').and.include('/etc/postgresql/17/main/postgresql.conf')
  })

  it('restarts Patroni after each exit', () => {
    expect(textAt(steps(), '/etc/systemd/system/patroni.service.d/provision.conf')).to.include('Restart=always\n')
  })

  it('stops a server before Patroni does, and no other process', async () => {
    const data = mkdtempSync(join(tmpdir(), 'provision-test-'))
    const text = textAt(steps(), '/usr/local/sbin/provision-patroni-before-stop')
    expect(text).to.include('/var/lib/postgresql/17/main')
    const stops = async (program: string) => {
      const path = join(data, program)
      copyFileSync('/bin/sleep', path)
      const server = spawn(path, ['60'], { stdio: 'ignore' })
      await once(server, 'spawn')
      writeFileSync(join(data, 'postmaster.pid'), `${server.pid}\n`)
      const ended = once(server, 'exit')
      const { status } = spawnSync('sh', ['-c', text.replaceAll('/var/lib/postgresql/17/main', data)])
      expect(status).to.equal(0)
      server.kill('SIGKILL')
      return (await ended)[1]
    }
    expect(await stops('postgres')).to.equal('SIGINT')
    expect(await stops('other')).to.equal('SIGKILL')
    rmSync(data, { recursive: true })
    expect(spawnSync('sh', ['-c', text.replaceAll('/var/lib/postgresql/17/main', data)]).status).to.equal(0)
  })

  it('rejects times that Patroni would not accept unchanged', async () => {
    expect(await wordsOf(() => steps({ ttl: 10 }))).to.include('Patroni does not accept a ttl of 10 seconds.')
    expect(await wordsOf(() => steps({ retryTimeout: 1 }))).to.include(
      'Patroni requires a loopWait of at least 1 second',
    )
    expect(await wordsOf(() => steps({ retryTimeout: 10 }))).to.include('A primary would keep its role for 22 seconds')
  })

  it('rejects old versions of Patroni that resume a lost role, and accepts later ones', async () => {
    expect(['3.0.2-1', '2.9.9', '3.0.4'].map(isRecent)).to.deep.equal([false, false, false])
    expect(['3.1.0', '4.0.7-3~deb13u1', '1:3.10-1'].map(isRecent)).to.deep.equal([true, true, true])
    expect(await wordsOf(() => recentPatroni({}).diff('3.0.2-1'))).to.include('is too old for automatic failover.')
    expect(recentPatroni({}).diff(undefined)).to.equal(undefined)
  })
})

describe('the settings of a cluster under Patroni', () => {
  const wanted = dynamicOf({ settings: { max_connections: 200 } })
  const step = dynamicConfiguration({ wanted: { ...wanted, pause: null } })
  const have = { ...wanted, ttl: 20, loop_wait: 2, slots: { mine: { type: 'physical' } } }

  it('do not change if all of them have their declared value, whatever other settings exist', () => {
    expect(step.diff(have)).to.equal(undefined)
  })

  it('change only if they differ', () => {
    const drifted = { ...have, ttl: 60, pause: true }
    expect(step.diff(drifted)?.fields).to.deep.equal([
      { name: 'ttl', from: '60', to: '20' },
      { name: 'pause', from: 'true', to: 'unset' },
    ])
    const [{ script } = { script: { text: '' } }] = step.apply(drifted)
    expect(script.text).to.include(`'{"ttl":20,"pause":null}'`)
  })

  it('are compared recursively', () => {
    expect(differing({ a: { b: 1, c: 'x' } }, { a: { b: 2, c: 'x' } })).to.deep.equal([
      { path: ['a', 'b'], from: 2, to: 1 },
    ])
  })

  it('wait for a replica without a time limit only in strict mode', () => {
    expect(dynamicOf({})).to.include({ synchronous_mode: true, synchronous_mode_strict: null })
    expect(dynamicOf({ synchronous: 'strict' })).to.include({ synchronous_mode_strict: true })
  })

  it('are unknown if etcd does not answer', () => {
    expect(parseConfig('')).to.equal(undefined)
    expect(parseConfig('{"ttl": 20}\n')).to.deep.equal({ ttl: 20 })
  })
})

describe('a cluster in etcd', () => {
  const step = patroniCluster({ scope: 'main', system: '77', dynamic: dynamicOf({}) })

  it('starts paused and strict', () => {
    const [{ script } = { script: { text: '' } }] = step.apply({ answered: true, initialize: undefined })
    expect(script.text).to.include('"pause":true').and.include('"synchronous_mode_strict":true')
  })

  it('is rejected if it belongs to another database', async () => {
    expect(step.diff({ answered: true, initialize: '77' })).to.equal(undefined)
    const words = await wordsOf(() => step.diff({ answered: true, initialize: '78' }))
    expect(words).to.include('etcd has the state of another database under the name main')
  })
})

describe('limits of a server under Patroni', () => {
  const wanted = limitsFor({ settings: { max_connections: 200 } })
  const having = (connections: number) => ({ all: { ...wanted, max_connections: connections } })

  it('are raised on replicas first, and lowered on the primary first', () => {
    const replica = limitsInForce({ wanted, which: 'raised' })
    expect(replica.diff(having(100))?.action).to.equal('restart')
    expect(replica.diff(having(300))).to.equal(undefined)
    expect(limitsInForce({ wanted, which: 'all' }).diff(having(300))?.action).to.equal('restart')
    expect(replica.diff(having(200))).to.equal(undefined)
  })
})

describe('the manager of a database server', () => {
  const host = (name: string) => ({ name, address: '10.0.0.1', group: 'db' })
  const all = (db1: 'patroni' | 'systemd' | 'none' | undefined, db2: 'patroni' | 'systemd' | 'none' | undefined) => [
    { host: host('db1'), answer: db1 },
    { host: host('db2'), answer: db2 },
  ]

  it('is the one that the host reports, and for an empty host that of the other hosts', () => {
    expect(managerOf(host('db1'), all('systemd', 'patroni'))).to.equal('systemd')
    expect(managerOf(host('db1'), all('none', 'patroni'))).to.equal('patroni')
    expect(managerOf(host('db1'), all('none', 'none'))).to.equal('systemd')
    expect(managerOf(host('db1'), all(undefined, 'patroni'))).to.equal('patroni')
  })

  it('must be known for every host before failover becomes automatic, but not afterwards', () => {
    const problem = unreachableProblem(all('systemd', undefined))
    expect(problem?.message).to.equal('db2 cannot be reached, so failover cannot become automatic')
    expect(unreachableProblem(all('patroni', undefined))).to.equal(undefined)
  })

  it('is not read from an incomplete answer', () => {
    expect(() => parseState('adopted\n')).to.throw('no whole answer')
    expect(parseState('patroni {"state": "running", "role": "master", "pause": true}\nend\n').member).to.deep.equal({
      ...{ state: 'running', role: 'primary', pause: true, pendingRestart: false, version: 'unknown' },
    })
  })
})

describe('votes for automatic failover', () => {
  const host = (name: string, failover?: 'manual' | 'automatic') => ({
    ...member(name, '10.0.0.1'),
    ...(failover && { failover }),
  })
  const faults = (databases: number, witnesses: number, synchronous?: Synchronous) =>
    votes({
      db: Array.from({ length: databases }, (_, i) => host(`db${i + 1}`, 'automatic')),
      witness: Array.from({ length: witnesses }, (_, i) => member(`witness${i + 1}`, '10.0.0.9')),
      synchronous,
    })

  it('are sufficient with two databases and a witness, or three databases', () => {
    expect(faults(2, 1)).to.deep.equal([])
    expect(faults(3, 0)).to.deep.equal([])
  })

  it('are not sufficient with two hosts, and not better with four', () => {
    expect(faults(2, 0)[0]).to.include('neither of two hosts can know that the other is dead')
    expect(faults(2, 2)[0]).to.include('an odd number of votes')
    expect(faults(1, 2)[0]).to.include('no host could take over')
  })

  it('require synchronous replication', () => {
    expect(faults(2, 1, false)[0]).to.include('would lose acknowledged writes')
    expect(faults(2, 1, 'strict')).to.deep.equal([])
  })

  it('are required for strict synchronous replication', () => {
    const manual = votes({ db: [host('db1'), host('db2')], witness: [], synchronous: 'strict' })
    expect(manual[0]).to.include('synchronous: strict is for db.failover automatic')
  })

  it('are not checked if failover is manual, and all hosts must have the same mode', () => {
    expect(votes({ db: [host('db1'), host('db2')], witness: [], synchronous: undefined })).to.deep.equal([])
    expect(votes({ db: [host('db1', 'automatic'), host('db2')], witness: [], synchronous: true })[0]).to.include(
      'db.hosts.db2.failover: is manual',
    )
  })
})
