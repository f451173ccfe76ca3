import { expect } from 'chai'
import { candidate, judged, notPaused, oneLeader, oneVersion } from '../../roles/patroni/checks.ts'
import { failoverUnderPatroni, switchoverTarget } from '../../roles/patroni/lib/plan-failover.ts'
import { type PatroniState, parseState } from '../../roles/patroni/lib/state.ts'
import { configuredByPatroni, managedByPatroni } from '../../roles/patroni/resources/adopted.ts'
import { givenBack, pausedCluster } from '../../roles/patroni/resources/given-back.ts'
import { leaderElected, patroniSwitchover } from '../../roles/patroni/resources/moved.ts'
import { pathsFor } from '../../roles/postgres/params.ts'
import { Unknown } from '../../src/index.ts'
import { accepted, wordsOf } from '../support/words.ts'

const host = (name: string) => ({ name, address: '10.0.3.1', group: 'db' })

interface Said {
  readonly role: 'primary' | 'replica'
  readonly state?: string
  readonly pause?: boolean
  readonly version?: string
}

/** The output of the host. */
const lines = (
  { role, state = 'running', pause = false, version = '4.0.7' }: Said,
  leader: string | undefined,
  sync: string | undefined,
) => {
  const members = ['db1', 'db2'].map((name) => ({
    name,
    role: name === leader ? 'leader' : name === sync ? 'sync_standby' : 'replica',
    state: name === leader ? 'running' : 'streaming',
  }))
  const paused = pause ? { pause } : {}
  return [
    'adopted',
    'data',
    'active',
    `patroni ${JSON.stringify({ state, role, ...paused, patroni: { version } })}`,
    `cluster ${JSON.stringify({ members, ...paused })}`,
    'end',
  ].join('\n')
}
const state = (said: Said, leader?: string, sync?: string): PatroniState => parseState(lines(said, leader, sync))
const all = (db1: PatroniState | undefined, db2: PatroniState | undefined) => [
  { host: host('db1'), answer: db1 },
  { host: host('db2'), answer: db2 },
]
const PRIMARY = state({ role: 'primary' }, 'db1', 'db2')
const REPLICA = state({ role: 'replica' }, 'db1', 'db2')
const asked = { acceptDataLoss: false, majority: true }

describe('a failover with Patroni', () => {
  it('is rejected while the primary answers, and does nothing if the primary is the target', async () => {
    expect(await wordsOf(() => failoverUnderPatroni(all(PRIMARY, REPLICA), asked))).to.include(
      'db1 is the primary and answers.',
    )
    expect(accepted(failoverUnderPatroni(all(PRIMARY, REPLICA), { ...asked, to: 'db1' })).kind).to.equal('nothing')
  })

  it('waits while a replica has each write, although etcd still names the lost primary', () => {
    expect(failoverUnderPatroni(all(undefined, REPLICA), asked)).to.deep.include({
      kind: 'wait',
      at: host('db2'),
    })
    expect(
      accepted(failoverUnderPatroni(all(undefined, state({ role: 'replica' }, undefined, 'db2')), asked)).kind,
    ).to.equal('wait')
  })

  it('requires --accept-data-loss if no replica is known to have each write, and is rejected while it is paused', async () => {
    const alone = all(undefined, state({ role: 'replica' }))
    expect(await wordsOf(() => failoverUnderPatroni(alone, asked))).to.include(
      'No replica is known to have every acknowledged write',
    )
    expect(failoverUnderPatroni(alone, { ...asked, acceptDataLoss: true })).to.deep.include({
      kind: 'promote',
      to: host('db2'),
    })
    const paused = all(undefined, state({ role: 'replica', pause: true }, 'db1', 'db2'))
    expect(await wordsOf(() => failoverUnderPatroni(paused, asked))).to.include('Automatic failover is paused.')
  })

  it('is rejected if no host can read etcd, and for an unknown host', async () => {
    expect(await wordsOf(() => failoverUnderPatroni(all(undefined, undefined), asked))).to.include(
      'No database host can read the state of the cluster in etcd',
    )
    expect(await wordsOf(() => failoverUnderPatroni(all(PRIMARY, REPLICA), { ...asked, to: 'db9' }))).to.include(
      'there is no database host db9',
    )
  })

  it('is rejected without a majority of etcd, although Patroni shows the last state that it has read', async () => {
    const lost = { ...asked, majority: false }
    const replica = all(undefined, REPLICA)
    for (const wishes of [lost, { ...lost, acceptDataLoss: true, to: 'db2' }])
      expect(await wordsOf(() => failoverUnderPatroni(replica, wishes))).to.include(
        'Bring back a majority of the members of etcd',
      )
    expect(await wordsOf(() => failoverUnderPatroni(all(PRIMARY, REPLICA), lost))).to.include(
      'db1 is the primary and answers.',
    )
  })

  it('ends when a host answers as the leader, whatever etcd says', () => {
    const [command] = leaderElected({ seconds: 60, urls: ['https://10.0.3.1:8008'] }).apply(false)
    expect(command?.script.text).to.include('GET /primary').and.include('https://10.0.3.1:8008')
  })
})

describe('a switchover with Patroni', () => {
  it('does nothing if the host is the leader already', () => {
    const step = patroniSwitchover({ from: 'db1', to: 'db2', url: 'https://10.0.3.1:8008' })
    expect(step.diff(PRIMARY)?.fields).to.deep.equal([{ name: 'primary', from: 'db1', to: 'db2' }])
    expect(step.diff(state({ role: 'replica' }, 'db2', 'db1'))).to.equal(undefined)
  })

  it('is requested from the primary, whose Patroni acts at once', () => {
    const [command] = patroniSwitchover({ from: 'db1', to: 'db2', url: 'https://10.0.3.1:8008' }).apply(PRIMARY)
    expect(command?.script.text).to.include('PATRONI_URL=https://10.0.3.1:8008')
  })
})

describe('the target of a switchover with Patroni', () => {
  it('is the replica that has each write, and no other one', async () => {
    expect(switchoverTarget(all(PRIMARY, REPLICA), undefined)).to.equal('db2')
    expect(switchoverTarget(all(PRIMARY, REPLICA), 'db1'), 'already the primary').to.equal('db1')
    expect(switchoverTarget(all(undefined, undefined), 'db2')).to.equal('db2')
    const third = parseState(
      `cluster ${JSON.stringify({
        members: [
          { name: 'db1', role: 'leader', state: 'running' },
          { name: 'db2', role: 'replica', state: 'streaming' },
          { name: 'db3', role: 'sync_standby', state: 'streaming' },
        ],
      })}\nend`,
    )
    expect(switchoverTarget(all(third, undefined), undefined)).to.equal('db3')
    const words = await wordsOf(() => switchoverTarget(all(third, undefined), 'db2'))
    expect(words).to.include('db2 may lack acknowledged writes, and Patroni does not promote it')
  })
})

describe('the start of automatic failover', () => {
  const scriptOf = (leader: boolean) =>
    managedByPatroni({ host: 'db1', paths: pathsFor(17), leader, replicas: [] })
      .apply({ ...PRIMARY, adopted: false })
      .map(({ script }) => script.text)
      .join('\n')

  it('keeps the configuration of a replica until there is a leader: without one, Patroni would end its replication', () => {
    expect(scriptOf(false)).not.to.include('overwritten by Patroni')
    expect(scriptOf(true)).to.include('overwritten by Patroni')
  })

  it('does nothing on a replica that Patroni manages already, whoever has written its configuration', () => {
    const replica = managedByPatroni({ host: 'db2', paths: pathsFor(17), leader: false, replicas: [] })
    expect(replica.diff({ ...REPLICA, adopted: false })).to.equal(undefined)
    expect(replica.diff({ ...REPLICA, adopted: false, active: false })?.action).to.equal('create')
    const primary = managedByPatroni({ host: 'db1', paths: pathsFor(17), leader: true, replicas: [] })
    expect(primary.diff({ ...PRIMARY, adopted: false })?.action).to.equal('create')
  })

  it('is complete on a replica if Patroni has written its configuration', () => {
    const step = configuredByPatroni({ host: 'db2', paths: pathsFor(17) })
    expect(step.diff(REPLICA)).to.equal(undefined)
    expect(step.diff({ ...REPLICA, adopted: false })?.action).to.equal('create')
    const [command] = step.apply({ ...REPLICA, adopted: false })
    expect(command?.script.text).to.include('Patroni has not taken over the configuration.')
  })
})

describe('the return to manual failover', () => {
  const step = givenBack({ host: 'db1', paths: pathsFor(17), synchronous: [{ name: 'db2' }] })

  it('stops Patroni only if it is paused, and leaves the server running', () => {
    const [{ script } = { script: { text: '' } }] = step.apply(PRIMARY)
    expect(script.text).to.include('Patroni is not paused on this host')
    expect(script.text).not.to.include('pg_ctl')
    expect(step.diff({ ...PRIMARY, active: false })).to.equal(undefined)
  })

  it('makes commits wait for the same replica before Patroni stops', () => {
    const [{ script } = { script: { text: '' } }] = step.apply(PRIMARY)
    expect(script.text.indexOf('91-synchronous.conf')).to.be.lessThan(script.text.indexOf('systemctl stop patroni'))
  })

  it('pauses first', () => {
    expect(pausedCluster({ host: 'db1' }).diff(PRIMARY)?.action).to.equal('change')
    expect(pausedCluster({ host: 'db1' }).diff(state({ role: 'primary', pause: true }, 'db1'))).to.equal(undefined)
  })
})

describe('the checks of a cluster under Patroni', () => {
  const found = (...said: readonly (string | undefined)[]) =>
    said.map((one, i) => ({
      host: host(`db${i + 1}`),
      answer: one === undefined ? undefined : { said: one, from: 0, to: 0 },
    }))
  const primary = lines({ role: 'primary' }, 'db1', 'db2')
  const replica = lines({ role: 'replica' }, 'db1', 'db2')

  it('pass for a leader with a replica that has each write', () => {
    for (const wrong of [oneLeader, candidate, notPaused, oneVersion])
      expect(judged(wrong)(found(primary, replica))).to.equal(undefined)
  })

  it('name a primary beside the leader, a missing synchronous replica, a pause, and two versions', () => {
    expect(judged(oneLeader)(found(primary, lines({ role: 'primary' }, 'db1', 'db2')))).to.equal(
      'db1 leads, and db2 is a primary',
    )
    expect(judged(oneLeader)(found(lines({ role: 'replica' }, undefined, 'db2'), replica))).to.equal('no host leads')
    expect(judged(candidate)(found(lines({ role: 'primary' }, 'db1', undefined)))).to.equal('none has')
    expect(judged(notPaused)(found(lines({ role: 'primary', pause: true }, 'db1', 'db2')))).to.equal('it is')
    expect(judged(oneVersion)(found(primary, lines({ role: 'replica', version: '4.1.0' }, 'db1', 'db2')))).to.equal(
      'they have 4.0.7 and 4.1.0',
    )
  })

  it('are unknown if a host does not answer and the others have no fault', () => {
    expect(judged(oneLeader)(found(primary, undefined))).to.be.instanceOf(Unknown)
    expect(judged(oneLeader)(found(undefined, undefined))).to.be.instanceOf(Unknown)
    expect(judged(candidate)(found(lines({ role: 'primary' }, 'db1', undefined), undefined))).to.equal('none has')
  })
})
