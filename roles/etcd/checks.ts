import {
  askEach,
  type Check,
  check,
  expect,
  type Group,
  type Host,
  type HostAnswer,
  type Output,
  output,
  Problem,
  sh,
  Unknown,
} from 'provision-ts'
import { runs } from '../base/checks.ts'
import { CONTROL } from './params.ts'
import { parseMemberState } from './resources/member.ts'

/** A part of etcd's quota of 2 GiB. A cluster over its quota takes no more writes. */
const LARGEST = 1024 * 1024 * 1024

/** Checks of the members of an etcd cluster. */
export function etcdChecks(members: Pick<Group, 'hosts'>): readonly Check[] {
  const all = askEach(members, output('its etcd cluster', SCRIPT))
  const next = 'See journalctl -u etcd on the members.'
  return [
    ...members.hosts.flatMap((host) => [
      runs(host, 'etcd'),
      check(host, 'its etcd member is healthy', HEALTH, { next }),
    ]),
    expect('the members of etcd are those of the inventory', all, sameMembers(members.hosts), {
      next: 'Run the playbook: it adds and removes members.',
    }),
    expect('all members of etcd have one leader', all, oneLeader, { next }),
    expect('the data of etcd are far below the quota', all, belowQuota, {
      next: 'Look for a client that writes too much: provision-etcdctl endpoint status; provision-etcdctl alarm list',
    }),
  ]
}

const OWN = sh`own=$(sed -n 's/^ETCD_ADVERTISE_CLIENT_URLS=//p' /etc/default/etcd)
[ "$own" ] || { echo 'etcd is not configured'; exit 1; }
export ETCDCTL_ENDPOINTS="$own"`

const HEALTH = sh`${OWN}
said=$(${CONTROL} endpoint health 2>&1) || { printf '%s\n' "$said" | sed -n 's/.*Error: *//p; s/.*is unhealthy: *//p' | head -n 1; exit 1; }`

const SCRIPT = sh`${OWN}
said=$(${CONTROL} member list 2>/dev/null) || { echo 'the cluster does not answer'; exit 75; }
printf '%s\n' "$said" | sed 's/^/member /'
said=$(${CONTROL} endpoint status -w fields 2>/dev/null) || { echo 'the member does not answer'; exit 75; }
printf '%s\n' "$said" | sed -n 's/^"\(Leader\|RaftTerm\|DBSize\)" : \([0-9]*\)$/\1 \2/p'
${CONTROL} alarm list 2>/dev/null | sed 's/^/alarm /'
echo end`

type Found = HostAnswer<Output | Problem>

/** Of each host that gave an answer, the answer. */
function reported(all: readonly Found[]) {
  return all.flatMap(({ host, answer }) =>
    answer && !(answer instanceof Problem) ? [{ host, said: answer.said }] : [],
  )
}

function unanswered(all: readonly Found[]): Unknown | undefined {
  const silent = all.flatMap(({ host, answer }) => (!answer || answer instanceof Problem ? [host.name] : []))
  return silent.length === 0 ? undefined : new Unknown(`no answer from ${silent.join(', ')}`)
}

function fieldOf(said: string, name: string): string | undefined {
  return new RegExp(`^${name} (.*)$`, 'm').exec(said)?.[1]
}

/** One answer is enough: the list is the cluster's own, and the member that gave it had a majority. */
export function sameMembers(hosts: readonly Host[]) {
  return (all: readonly Found[]): string | Unknown | undefined => {
    const [first] = reported(all)
    if (!first) return unanswered(all)
    const { listed } = parseMemberState(first.said)
    const wanted = hosts.map(({ name }) => name)
    const names = listed.map(({ name, peer }) => name || peer)
    const faults = [
      ...wanted.filter((name) => !names.includes(name)).map((name) => `${name} is no member`),
      ...names.filter((name) => !wanted.includes(name)).map((name) => `${name} is a member`),
      ...listed.filter(({ learner }) => learner).map(({ name, peer }) => `${name || peer} has no vote`),
    ]
    return faults.length > 0 ? faults.join('; ') : undefined
  }
}

export function oneLeader(all: readonly Found[]): string | Unknown | undefined {
  const found = reported(all).map(({ host, said }) => ({ host, leader: fieldOf(said, 'Leader') }))
  const without = found.filter(({ leader }) => leader === undefined || leader === '0')
  if (without.length > 0) return `${without.map(({ host }) => host.name).join(', ')} has none`
  const leaders = new Set(found.map(({ leader }) => leader))
  return leaders.size > 1 ? 'they name different ones' : unanswered(all)
}

export function belowQuota(all: readonly Found[]): string | Unknown | undefined {
  const faults = reported(all).flatMap(({ host, said }) => {
    const size = Number(fieldOf(said, 'DBSize') ?? Number.NaN)
    return [
      ...(size > LARGEST ? [`${host.name} has ${Math.round(size / 1024 / 1024)} MiB`] : []),
      ...(/^alarm /m.test(said) ? [`${host.name} has an alarm`] : []),
    ]
  })
  return faults.length > 0 ? faults.join('; ') : unanswered(all)
}
