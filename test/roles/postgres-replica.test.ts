import { expect } from 'chai'
import { postgresReplica } from '../../roles/postgres-replica/index.ts'
import { Problem } from '../../src/model/problem.ts'
import { Secret } from '../../src/shell/secret.ts'
import { textAt } from './expanded.ts'
import { COMMON, PRIMARY, said, stepOf, stepsWith } from './postgres.ts'

const primary = { name: 'db2', group: 'db', address: '198.18.0.42' }
const steps = stepsWith(postgresReplica({ ...COMMON, primary }), PRIMARY)
const REPLICA = { ...PRIMARY, standby: true }

describe('postgres-replica', () => {
  it('verifies the certificate of the primary by its address, and reads the password from a file', () => {
    const conf = textAt(steps, '/etc/postgresql/15/main/conf.d/90-provision.conf')
    expect(conf).to.include(
      `primary_conninfo = 'host=198.18.0.42 port=5432 user=replicator sslmode=verify-full sslrootcert=/etc/postgresql/tls/authority.crt passfile=/etc/postgresql/replication.pgpass`,
    )
    expect(conf).to.include(`primary_slot_name = 'db1'`)
  })

  it('stores the password readable only for the server', () => {
    const passfile = stepOf(steps, 'file', '/etc/postgresql/replication.pgpass')
    const { script } = said(passfile, undefined)
    expect(script).to.include('*:5432:replication:replicator:re\\:pl\\\\ica\n').and.include(' postgres postgres 0600\n')
    expect(Secret.redact(script)).not.to.include('re\\:pl')
  })

  it('has the same access rules as a primary, so that it can replace it at once', () => {
    expect(textAt(steps, '/etc/postgresql/15/main/pg_hba.conf')).to.include(
      'hostssl "notes" "notes" 198.18.0.31/32 scram-sha-256',
    )
  })

  it('writes the password before the copy, and copies the data before the start', () => {
    const order = steps.map(({ kind }) => kind)
    expect(order.indexOf('database copy')).to.be.greaterThan(order.lastIndexOf('file'))
    expect(order.indexOf('database copy')).to.be.lessThan(order.indexOf('transaction'))
  })

  it('copies if there are no data, to a temporary directory and never over existing files', () => {
    const copy = stepOf(steps, 'database copy')
    expect(copy.diff({ kind: 'nothing' })?.action).to.equal('create')
    expect(copy.diff({ kind: 'lost' })?.action).to.equal('create')
    const { script } = said(copy, { kind: 'nothing' })
    expect(script).to.include('already has a cluster').and.include('A server is running with data')
    expect(script.match(/rm -rf [^;\s]+/g)).to.deep.equal([
      'rm -rf /var/lib/postgresql/15/.main.provision',
      'rm -rf "$at"',
    ])
  })

  it('keeps an existing copy of this primary, running or not', () => {
    const copy = stepOf(steps, 'database copy')
    expect(copy.diff(REPLICA)).to.equal(undefined)
    expect(copy.diff({ ...REPLICA, running: false })).to.equal(undefined)
  })

  it('rejects data of a former primary, of another system, damaged, or of another version', () => {
    const copy = stepOf(steps, 'database copy')
    const refused = (have: object, words: string) => {
      try {
        copy.diff(have)
        expect.fail('it was not refused')
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        expect([error.message, ...error.details].join('\n')).to.include(words)
        expect(error.next).to.include('Nothing was changed')
      }
    }
    refused({ ...PRIMARY, running: false }, 'It was a primary itself')
    refused({ ...REPLICA, system: '78' }, 'to another system')
    refused({ ...REPLICA, system: undefined }, 'cannot be read')
    refused({ ...REPLICA, version: 13 }, 'data of PostgreSQL 13')
  })

  it('is complete only when the receiver streams from this primary', () => {
    const streaming = stepOf(steps, 'replication')
    const have = { state: 'streaming', from: '198.18.0.42', slot: 'db1' }
    expect(streaming.diff(have)).to.equal(undefined)
    expect(streaming.diff(undefined)?.action).to.equal('create')
    expect(streaming.diff({ ...have, state: 'waiting' })?.action).to.equal('change')
    expect(streaming.diff({ ...have, from: '198.18.0.43' })?.action).to.equal('change')
  })
})
