import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { replicaFollowing } from '../../roles/postgres/resources/replica-following.ts'
import { walReceiver } from '../../roles/postgres-replica/resources/wal-receiver.ts'
import { stepsOf } from './expanded.ts'

/** A healthy site never runs these scripts: they only run while a replica lags behind. */
describe('waiting for replication', () => {
  for (const [what, step] of Object.entries({
    'on the replica': walReceiver({ from: '198.18.0.41', slot: 'db2', log: '/var/log/p.log' }),
    'on the primary': replicaFollowing({ name: 'db2' }),
  }))
    it(`has a script with valid shell syntax, ${what}`, () => {
      const [one] = stepsOf([step])
      const scripts = one?.apply(undefined).map(({ script }) => script?.text) ?? []
      expect(scripts).to.have.length(1)
      const { status, stderr } = spawnSync('sh', ['-n'], { input: scripts[0], encoding: 'utf8' })
      expect([status, stderr]).to.deep.equal([0, ''])
    })
})
