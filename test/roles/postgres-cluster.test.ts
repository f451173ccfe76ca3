import { expect } from 'chai'
import {
  type ClusterState,
  clusterState,
  describeState,
  parseClusterState,
} from '../../roles/postgres/lib/cluster-state.ts'
import { findPrimary } from '../../roles/postgres/lib/primary.ts'
import type { Host } from '../../src/model/inventory/host.ts'
import { Problem } from '../../src/model/problem.ts'
import type { Answer } from '../../src/model/resource/fake-state.ts'
import { AnswerStore, type HostAnswer } from '../../src/model/resource/question.ts'
import { catchFailures } from '../../src/model/resource/read.ts'
import { accepted, wordsOf } from '../support/words.ts'

type Db = Host<{ readonly seed: boolean }>

const db1: Db = { name: 'db1', group: 'db', address: '198.18.0.41', seed: true }
const db2: Db = { name: 'db2', group: 'db', address: '198.18.0.42', seed: false }

const cluster = (standby: boolean, running: boolean, timeline = 1): ClusterState => ({
  ...{ kind: 'cluster', version: 15, system: '77', state: 'shut down' },
  ...{ standby, running, timeline },
})
const primary = cluster(false, true)
const replica = cluster(true, true)
const nothing: ClusterState = { kind: 'nothing' }
const unreachable = undefined

const answers = (a: ClusterState | undefined, b: ClusterState | undefined): readonly HostAnswer<ClusterState, Db>[] => [
  { host: db1, answer: a },
  { host: db2, answer: b },
]
const chosen = (a: ClusterState | undefined, b: ClusterState | undefined) => accepted(findPrimary(answers(a, b))).name
const refusal = (a: ClusterState | undefined, b: ClusterState | undefined): string => {
  const found = findPrimary(answers(a, b))
  return found instanceof Problem ? [found.message, ...found.details, found.next].join('\n') : `chose ${found.name}`
}

describe('the primary', () => {
  it('is the seed while no host has a database', () => {
    expect(chosen(nothing, nothing)).to.equal('db1')
  })

  it('is the host that reports it, whatever the inventory says', () => {
    expect(chosen(primary, replica)).to.equal('db1')
    expect(chosen(replica, primary)).to.equal('db2')
    expect(chosen(nothing, primary)).to.equal('db2')
  })

  it('does not change back if the old primary is stopped or unreachable', () => {
    expect(chosen(cluster(false, false), cluster(false, true, 2))).to.equal('db2')
    expect(chosen(unreachable, cluster(false, true, 2))).to.equal('db2')
  })

  it('is a stopped primary if no other host can be it', () => {
    expect(chosen(cluster(false, false), replica)).to.equal('db1')
    expect(chosen(cluster(false, false), nothing)).to.equal('db1')
  })

  it('is not a stopped primary if a replica is on a later timeline', () => {
    expect(refusal(cluster(false, false, 1), cluster(true, false, 2))).to.include('No primary can be found')
  })

  it('is rejected if there are two, with both timelines', () => {
    const said = refusal(primary, cluster(false, true, 2))
    expect(said).to.include('two primaries').and.include('db1 is a primary, timeline 1')
    expect(said).to.include('db2 is a primary, timeline 2').and.include('mask --now postgresql@15-main')
  })

  it('is rejected if two stopped ones could be it', () => {
    expect(refusal(cluster(false, false), cluster(false, false))).to.include('two primaries')
  })

  it('is rejected if only a replica is left, with the command for a failover', () => {
    const said = refusal(unreachable, replica)
    expect(said).to.include('No primary').and.include('db1 cannot be reached')
    expect(said).to.include('Nothing was changed').and.include('provision failover --to db2')
  })

  it('is never the seed while a host that may be the primary does not answer', () => {
    expect(refusal(nothing, unreachable)).to.include('No primary can be found')
    expect(refusal(unreachable, nothing)).to.include('No primary can be found')
    expect(refusal(cluster(false, false), unreachable)).to.include('No primary can be found')
  })

  it('is never the seed if data are missing that existed', () => {
    expect(refusal({ kind: 'lost' }, nothing)).to.include('a disk is not mounted')
    expect(refusal({ kind: 'lost' }, replica)).to.include('No primary can be found')
  })
})

describe('the state of the database of a host', () => {
  const parsed = (...lines: string[]) => parseClusterState({ stdout: `${lines.join('\n')}\n`, stderr: '' })

  it('is nothing on a host without PostgreSQL', () => {
    expect(parsed('end')).to.deep.equal({ kind: 'nothing' })
  })

  it('is read from the server before its files', () => {
    const place = parsed(
      ...['cluster 15', 'standby t', 'system 77', 'state in archive recovery', 'timeline 1'],
      ...['standby f', 'timeline 2', 'running t', 'end'],
    )
    expect(place).to.deep.equal({
      ...{ kind: 'cluster', version: 15, standby: false, running: true },
      ...{ system: '77', timeline: 2, state: 'in archive recovery' },
    })
  })

  it('is read from its files if nothing runs', () => {
    const place = parsed('cluster 17', 'standby t', 'system 77', 'state shut down', 'timeline 3', 'end')
    expect(place).to.include({ version: 17, standby: true, running: false, timeline: 3 })
  })

  it('distinguishes lost data from a host that never had any', () => {
    expect(parsed('lost', 'end')).to.deep.equal({ kind: 'lost' })
  })

  const foreign = (...settings: string[]) => parsed(...settings.map((one) => `/etc/postgresql/${one}`), 'end')

  it('is foreign if a cluster has other data, another name or another port than the roles use', () => {
    expect(
      foreign("15/main/postgresql.conf:data_directory = '/data/pg15' # moved", '15/main/postgresql.conf:port = 5432'),
    ).to.deep.equal({ kind: 'foreign', name: '15/main', data: '/data/pg15' })
    expect(
      foreign(
        "15/shop/postgresql.conf:data_directory='/var/lib/postgresql/15/shop'",
        '15/shop/postgresql.conf:port=5432',
      ),
    ).to.deep.equal({ kind: 'foreign', name: '15/shop', data: '/var/lib/postgresql/15/shop' })
  })

  it('is not foreign for a cluster at another port, for the standard path, and for clusters of the roles', () => {
    expect(
      foreign("15/shop/postgresql.conf:data_directory = '/srv/shop'", '15/shop/postgresql.conf:port = 5433'),
    ).to.deep.equal({ kind: 'nothing' })
    expect(foreign("15/main/postgresql.conf:data_directory = '/var/lib/postgresql/15/main'")).to.deep.equal({
      kind: 'nothing',
    })
    expect(
      parsed('lost', 'own', "/etc/postgresql/15/main/postgresql.conf:data_directory = '/mnt/x'", 'end'),
    ).to.deep.equal({
      kind: 'lost',
    })
  })

  it('is rejected if it is foreign, with the commands that keep its data', async () => {
    const found: ClusterState = { kind: 'foreign', name: '15/main', data: '/data/pg15' }
    expect(refusal(found, nothing)).to.equal(
      [
        'db1 has a cluster 15/main with its data in /data/pg15; this role uses /var/lib/postgresql/15/main',
        'Nothing was changed on the database hosts.',
        'To keep its data: stop it (systemctl stop postgresql@15-main), move /data/pg15 to /var/lib/postgresql/15/main, set data_directory, and run again. If they are not needed: pg_dropcluster --stop 15 main',
      ].join('\n'),
    )
    expect(refusal(nothing, found)).to.include('has a cluster 15/main')
    expect(describeState(found)).to.equal('has a cluster 15/main with its data in /data/pg15')
  })

  it('is not read from an incomplete answer', () => {
    expect(() => parsed('')).to.throw('the answer is incomplete')
    expect(() => parsed('cluster 15', 'standby t')).to.throw('the answer is incomplete')
  })

  it('is rejected after an incomplete answer, with the host and its message', async () => {
    const answers = new AnswerStore()
    const asked = { host: db2, question: clusterState }
    const halves: Answer = {
      code: 2,
      stdout: 'cluster 15\n',
      stderr: 'sh: 2: Cannot fork\n',
      bytes: Buffer.of(),
    }
    const read = catchFailures(clusterState.read)
    answers.set(asked, read.value(read.parts.map(({ family, query }) => family.parse(halves, [query])[0])))
    expect(await wordsOf(() => answers.get(asked))).to.equal(
      'error: db2: its answer to "the state of its database" makes no sense: the answer is incomplete, so it is unknown if there are data (sh: 2: Cannot fork)',
    )
  })
})
