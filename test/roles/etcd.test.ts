import { expect } from 'chai'
import { belowQuota, oneLeader, sameMembers } from '../../roles/etcd/checks.ts'
import { type EtcdParams, etcd } from '../../roles/etcd/index.ts'
import { type MemberState, membership, parseMemberState } from '../../roles/etcd/resources/member.ts'
import { noFormerMembers } from '../../roles/etcd/resources/members.ts'
import { Secret, Unknown } from '../../src/index.ts'
import { wordsOf } from '../support/words.ts'
import { stepsOf, textAt } from './expanded.ts'

const host = (number: number) => ({ name: `etcd${number}`, address: `10.0.0.${number}`, group: 'etcd' })
const MEMBERS = [1, 2, 3].map(host)
const PARAMS: EtcdParams = {
  ...host(1),
  certificate: { certificate: 'the certificate', key: new Secret(() => 'the-key-of-etcd1') },
  authority: 'the authority',
  members: MEMBERS,
}
const DEBIAN = { os: { id: 'debian', version: '13', codename: 'trixie' } }
const steps = (more: Partial<EtcdParams> = {}) => stepsOf(etcd({ ...PARAMS, ...more }), DEBIAN)

const NOTHING: MemberState = { active: false, hasData: false, joined: undefined, listed: [] }
const LIST = MEMBERS.map(({ name, address }, i) => ({
  ...{ id: `a${i + 1}`, name, peer: `https://${address}:2380`, learner: false },
}))
const JOINED: MemberState = { active: true, hasData: true, joined: 'a1', listed: LIST }

const member = (others: readonly (MemberState | undefined)[]) =>
  membership({
    member: host(1),
    members: MEMBERS,
    token: 'provision',
    others: others.map((answer, i) => ({ host: host(i + 2), answer })),
  })
const scriptOf = (others: readonly (MemberState | undefined)[]) =>
  member(others)
    .apply(NOTHING)
    .map(({ script }) => script.text)
    .join('\n')

describe('role etcd', () => {
  it('listens for clients and members with certificates on both ports', () => {
    const text = textAt(steps(), '/etc/default/etcd')
    expect(text).to.include('ETCD_LISTEN_CLIENT_URLS=https://10.0.0.1:2379\n')
    expect(text).to.include('ETCD_LISTEN_PEER_URLS=https://10.0.0.1:2380\n')
    expect(text).to.include('ETCD_CLIENT_CERT_AUTH=true\n').and.include('ETCD_PEER_CLIENT_CERT_AUTH=true\n')
  })

  it('omits the members in its configuration, so that a new member causes no restart', () => {
    const before = textAt(steps(), '/etc/default/etcd')
    expect(textAt(steps({ members: [...MEMBERS, host(4)] }), '/etc/default/etcd')).to.equal(before)
    expect(before).not.to.match(/^ETCD_INITIAL_CLUSTER/m)
  })

  it('does not start without the variables of a member, or with lost data under an old identity', () => {
    const text = textAt(steps(), '/etc/systemd/system/etcd.service.d/provision.conf')
    expect(text).to.include('EnvironmentFile=/var/lib/etcd/initial-cluster\n')
    expect(text).to.match(/^ExecCondition=.*\/var\/lib\/etcd\/default\/member.*\/var\/lib\/etcd\/joined/m)
  })

  it('starts a cluster only if every other host confirms that it has not joined one', () => {
    const begins = (others: readonly (MemberState | undefined)[]) =>
      !scriptOf(others).includes('No new cluster') && !scriptOf(others).includes('has no majority')
    expect(begins([NOTHING, NOTHING])).to.equal(true)
    expect(begins([NOTHING, { ...NOTHING, hasData: true }])).to.equal(true)
    expect(begins([NOTHING, undefined])).to.equal(false)
    expect(begins([NOTHING, { ...NOTHING, hasData: true, joined: 'a3' }])).to.equal(false)
  })

  it('names the unreachable host that may be a member', () => {
    expect(scriptOf([NOTHING, undefined])).to.include('No new cluster is begun while etcd3 cannot be reached')
  })

  it('changes nothing for a voting member, but starts a learner or a stopped member', () => {
    const diff = (have: MemberState) => member([JOINED, JOINED]).diff(have)
    expect(diff(JOINED)).to.equal(undefined)
    expect(diff({ ...JOINED, active: false, listed: [] })?.action).to.equal('start')
    expect(diff({ ...JOINED, listed: LIST.map((one) => ({ ...one, learner: one.id === 'a1' })) })?.action).to.equal(
      'start',
    )
    expect(diff(NOTHING)?.fields).to.deep.equal([{ name: 'member', to: 'of the cluster of etcd2, etcd3' }])
  })

  it('removes members that are not in the inventory, but not those of an unknown cluster', () => {
    const diff = (numbers: readonly number[], have = LIST) => noFormerMembers({ members: numbers.map(host) }).diff(have)
    expect(diff([1, 2, 3])).to.equal(undefined)
    expect(diff([1, 2])?.fields.map(({ name }) => name)).to.deep.equal(['etcd3'])
    expect(diff([7, 8])).to.equal(undefined)
    expect(diff([1, 2], [])).to.equal(undefined)
  })

  it('does not treat an incomplete answer as a host without data', () => {
    expect(() => parseMemberState('data\n')).to.throw('no whole answer')
    expect(parseMemberState('end\n')).to.deep.equal(NOTHING)
    expect(
      parseMemberState(
        'active\nmember 8e9e05c52164694d, unstarted, , https://10.0.0.4:2380, , true\ndata\njoined 8e9e\nend\n',
      ),
    ).to.deep.equal({
      active: true,
      hasData: true,
      joined: '8e9e',
      listed: [{ id: '8e9e05c52164694d', name: '', peer: 'https://10.0.0.4:2380', learner: true }],
    })
  })

  it('rejects members without the host itself, duplicates, and heartbeats that etcd would reject', async () => {
    expect(await wordsOf(() => steps({ members: MEMBERS.slice(1) }))).to.include('do not include this host')
    expect(await wordsOf(() => steps({ members: [...MEMBERS, host(2)] }))).to.include('Two members of etcd')
    expect(await wordsOf(() => steps({ heartbeat: 1 }))).to.include('a heartbeat every 1 ms')
  })
})

describe('the checks of etcd', () => {
  const lines = LIST.map(({ id, name, peer }) => `member ${id}, started, ${name}, ${peer}, https://x:2379, false`)
  const answer = (more: readonly string[] = ['Leader 7', 'DBSize 20480']) => ({
    said: [...lines, ...more, 'end'].join('\n'),
    from: 0,
    to: 0,
  })
  const all = (...answers: readonly (ReturnType<typeof answer> | undefined)[]) =>
    answers.map((one, i) => ({ host: host(i + 1), answer: one }))

  it('pass for a cluster that matches the inventory', () => {
    const found = all(answer(), answer(), answer())
    expect(sameMembers(MEMBERS)(found)).to.equal(undefined)
    expect(oneLeader(found)).to.equal(undefined)
    expect(belowQuota(found)).to.equal(undefined)
  })

  it('report extra and missing members, different leaders, and data near the quota', () => {
    expect(sameMembers(MEMBERS.slice(0, 2))(all(answer()))).to.equal('etcd3 is a member')
    expect(sameMembers([...MEMBERS, host(4)])(all(answer()))).to.equal('etcd4 is no member')
    expect(oneLeader(all(answer(), answer(['Leader 8'])))).to.equal('they name different ones')
    expect(oneLeader(all(answer(['Leader 0'])))).to.equal('etcd1 has none')
    expect(belowQuota(all(answer(['DBSize 2000000000'])))).to.equal('etcd1 has 1907 MiB')
    expect(belowQuota(all(answer(['DBSize 20', 'alarm memberID:7 alarm:NOSPACE'])))).to.equal('etcd1 has an alarm')
  })

  it('are unknown without any answer', () => {
    for (const judge of [sameMembers(MEMBERS), oneLeader, belowQuota])
      expect(judge(all(undefined, undefined))).to.be.instanceOf(Unknown)
    expect(oneLeader(all(answer(), undefined))).to.be.instanceOf(Unknown)
  })
})
