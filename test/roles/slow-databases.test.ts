import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { backupChecks } from '../../roles/backup/checks.ts'
import { judged, postgresChecks } from '../../roles/postgres/checks.ts'
import type { Health } from '../../roles/postgres/lib/health.ts'
import { onePrimary, postgresPrimaryChecks } from '../../roles/postgres-primary/checks.ts'
import { allConnected, postgresReplicaChecks, smallLag, streams } from '../../roles/postgres-replica/checks.ts'
import { group, type Host, Problem, Unknown } from '../../src/index.ts'
import { findingsOf, type Programs, SILENT, SPEECHLESS } from '../support/checks.ts'
import { ownRig } from '../support/rig.ts'

type Database = Host<{ readonly seed: boolean }>

const HEALTH: Health = {
  ...{ standby: false, version: 15, system: '77', timeline: 1, receives: null, synchronous: false },
  ...{ replicas: [], lost: [], pending: [] },
}
const replica: Health = { ...HEALTH, standby: true, receives: { state: 'streaming', from: '10.0.0.1' } }
const seeing = (...names: readonly string[]): Health => ({
  ...HEALTH,
  replicas: names.map((name) => ({ name, state: 'streaming', sync: 'async', behind: 0 })),
})
const silent = new Unknown('no answer within 10.0 s (an empty script took 0.01 s on the host)')
const down = new Problem('psql: error: connection refused')

describe('checks of databases', () => {
  const host = (i: number): Database => ({
    name: `db${i}`,
    group: 'db',
    address: `10.0.0.${i}`,
    seed: i === 1,
  })
  const found = (...answers: readonly (Health | Problem)[]) =>
    answers.map((answer, i) => ({ host: host(i + 1), answer }))

  describe('if none answers', () => {
    const rig = ownRig()
    const programs = { setpriv: 'while [ "$1" != --init-groups ]; do shift; done; shift 2; exec psql "$@"' }
    const outcomes = async (psql: string, percent: number, systemctl = SPEECHLESS) => {
      const all: Programs = { ...programs, psql, systemctl }
      const checks = (hosts: readonly Host[]) => {
        const db = group(
          'db',
          hosts.map((one, i) => ({ ...one, seed: i === 0 })),
        )
        const databases = [...postgresChecks(db), ...postgresPrimaryChecks(db), ...postgresReplicaChecks(db)]
        return [...databases, backupChecks(hosts[0] ?? host(1), db)]
      }
      const findings = await findingsOf(rig, checks, { programs: all, percent, names: ['db1', 'db2'] })
      return findings
        .map(({ label, outcome, problem }) =>
          label === 'PostgreSQL answers' ? `${outcome}: ${problem?.message}` : `${label}: ${outcome}`,
        )
        .filter((line) => !/pgbackrest|backup is|clock/.test(line))
    }
    const HELD = /: held$/

    it('none of them holds', async function () {
      if (!existsSync('/usr/lib/postgresql')) return this.skip()
      const labels = await outcomes(SILENT, 5)
      expect(labels.filter((line) => HELD.test(line))).to.deep.equal([])
      const speechless = await outcomes(SPEECHLESS, 100)
      expect(speechless.filter((line) => HELD.test(line))).to.deep.equal([])
      expect(speechless).to.include('unknown: psql returned no row')
      expect(labels).to.include('exactly one host is the primary: unknown')
      expect(labels).to.include('no replication slot has lost its WAL: unknown')
      expect(labels).to.include('WAL archiving works: unknown')
    })
  })

  it('do not call a host the primary that does not answer', () => {
    expect(onePrimary(found(silent, replica))?.message).to.equal('no answer from db1')
    expect(onePrimary(found(silent, replica))).to.be.instanceOf(Unknown)
    expect(onePrimary(found(HEALTH, replica))).to.equal(undefined)
  })

  it('do not know the only primary while another host may be one', () => {
    expect(onePrimary(found(HEALTH, silent))).to.be.instanceOf(Unknown)
    expect(onePrimary(found(seeing('db2'), silent))).to.equal(undefined)
  })

  it('report the same as a run for two primaries, and for none', async () => {
    expect(onePrimary(found(HEALTH, HEALTH))?.message).to.match(/^There are two primaries/)
    expect(onePrimary(found(replica, replica))?.message).to.match(/^No primary can be found/)
  })

  it('find by its name a replica that the primary does not see', () => {
    expect(allConnected(found(seeing('db2'), replica, silent))).to.equal('db1 has no connection from db3')
    expect(allConnected(found(seeing('db2', 'db3'), replica, silent))).to.equal(undefined)
    expect(allConnected(found(silent, replica))).to.be.instanceOf(Unknown)
    expect(allConnected(found(down, replica))).to.be.instanceOf(Unknown)
    expect(allConnected(found(replica, replica))).to.deep.include({ message: 'no host is the primary' })
  })

  it('fail by the answers of some hosts, and are unknown while another host does not answer', () => {
    const lost = { ...replica, receives: null }
    expect(judged(streams)(found(seeing('db2'), lost, silent))).to.equal('db2 receives no WAL')
    expect(judged(streams)(found(seeing('db2'), replica, down))).to.deep.include({
      message: 'no answer from db3',
    })
    expect(judged(smallLag)(found(silent, replica))).to.be.instanceOf(Unknown)
    expect(judged(streams)(found(seeing('db2'), replica))).to.equal(undefined)
  })
})
