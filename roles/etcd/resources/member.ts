import { ask, type HostAnswer, type Question, read, resource, type Shell, sh } from 'provision-ts'
import { CONTROL, clientUrl, DATA, INITIAL, JOINED, type Member, peerUrl } from '../params.ts'

/** The state of a host as a member of a cluster. */
export interface MemberState {
  readonly active: boolean
  readonly hasData: boolean
  /** The identity under which it joined, as hexadecimal digits; undefined for a host that has not joined. */
  readonly joined: string | undefined
  /** The members that its cluster lists. Empty while its etcd does not answer, or has no majority. */
  readonly listed: readonly Listed[]
}

/** A member as the cluster lists it. */
export interface Listed {
  readonly id: string
  /** Empty for one that was added and has never run. */
  readonly name: string
  readonly peer: string
  readonly learner: boolean
}

const SCRIPT = sh`
if systemctl is-active -q etcd; then
  echo active
  own=$(sed -n 's/^ETCD_ADVERTISE_CLIENT_URLS=//p' /etc/default/etcd)
  ETCDCTL_ENDPOINTS=$own ETCDCTL_COMMAND_TIMEOUT=3s ${CONTROL} member list 2>/dev/null | sed 's/^/member /'
fi
[ ! -d ${`${DATA}/member`} ] || echo data
joined=${JOINED}; [ ! -e "$joined" ] || echo "joined $(cat "$joined")"
echo end`

const state = read(SCRIPT, ({ stdout }) => parseMemberState(stdout), {
  fakeValue: () => ({ active: false, hasData: false, joined: undefined, listed: [] }),
})

export const memberState: Question<MemberState> = ask('its state in the etcd cluster', state)

/** @throws Error when the answer is not whole */
export function parseMemberState(stdout: string): MemberState {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.at(-1) !== 'end') throw new Error('the host gave no whole answer about its etcd')
  return {
    active: lines.includes('active'),
    hasData: lines.includes('data'),
    joined: lines.find((line) => line.startsWith('joined '))?.slice('joined '.length),
    listed: lines.flatMap((line) => {
      const [, id, name = '', peer = '', learner] =
        /^member ([0-9a-f]+), \w+, ([^,]*), ([^ ]*), [^ ]*, (true|false)$/.exec(line) ?? []
      return id === undefined ? [] : [{ id, name, peer, learner: learner === 'true' }]
    }),
  }
}

interface MembershipParams {
  readonly member: Member
  /** All members, this one too. */
  readonly members: readonly Member[]
  readonly token: string
  /** The state of the other members. */
  readonly others: readonly HostAnswer<MemberState>[]
}

/**
 * This host is a member with a vote. Where no member has joined a cluster yet, all begin a new one. Otherwise it joins as a learner, which
 * etcd accepts one at a time and while all members are healthy, and gets its vote when it has the data.
 */
export const membership = resource<MembershipParams, MemberState>('etcd member', {
  id: ({ member }) => member.name,
  read: () => state,
  diff: ({ member, members, others }, have) => {
    const own = have.listed.find(({ id }) => id === have.joined)
    if (have.active && own && !own.learner) return undefined
    const names = members.map(({ name }) => name)
    const to = others.some(({ answer }) => answer?.joined !== undefined)
      ? `of the cluster of ${names.filter((name) => name !== member.name).join(', ')}`
      : `of a new cluster of ${names.join(', ')}`
    return have.joined === undefined
      ? { action: 'create', fields: [{ name: 'member', to }] }
      : { action: 'start', fields: [] }
  },
  apply: (params) => [{ script: joined(params), timeout: '15m' }],
})

/** A new cluster is begun only where every other host says that it has not joined one. */
function mayBegin(others: MembershipParams['others']): boolean {
  return others.every(({ answer }) => answer !== undefined && answer.joined === undefined)
}

function joined({ member, members, token, others }: MembershipParams): Shell {
  const { name } = member
  const silent = others.flatMap(({ host, answer }) => (answer ? [] : [host.name]))
  const rest = members.filter((one) => one.name !== name)
  const all = members.map((one) => `${one.name}=${peerUrl(one)}`).join(',')
  return sh`
name=${name} peer=${peerUrl(member)} own=${clientUrl(member)} others=${rest.map(clientUrl).join(',')}
data=${DATA} joined=${JOINED} initial=${INITIAL} ctl=${CONTROL}
exec 8>/run/provision-etcd.lock
flock -n 8 || { echo 'An earlier run still adds this member. Run again when it is done.' >&2; exit 1; }
give_up=$(($(date +%s) + 120 * \${PROVISION_TIMEOUT_PERCENT:-100} / 100))
in_time() { [ "$(date +%s)" -lt "$give_up" ]; }
fail() { printf '%s\n' "$@" >&2; journalctl -q --no-pager -o cat -n 5 -u etcd >&2; exit 1; }
ask_others() { [ "$others" ] && ETCDCTL_ENDPOINTS=$others "$ctl" "$@"; }
ask_any() { ETCDCTL_ENDPOINTS=$own\${others:+,$others} "$ctl" "$@"; }
mine() { awk -F ', ' -v peer="$peer" '$4 == peer'; }
write_initial() {
  printf '# Written by provision: for the first start only.\nETCD_INITIAL_CLUSTER=%s\nETCD_INITIAL_CLUSTER_STATE=%s\nETCD_INITIAL_CLUSTER_TOKEN=%s\n' "$1" "$2" ${token} > "$initial.new" &&
    sync "$initial.new" && mv "$initial.new" "$initial" || exit 1
}
${mayBegin(others) ? sh`` : withMajority(silent)}
id_of() { ask_others member list 2>/dev/null | mine | cut -d , -f 1; }
if list=$(ask_others member list 2>/dev/null); then
  line=$(printf '%s\n' "$list" | mine) id=$(printf '%s\n' "$list" | mine | cut -d , -f 1)
  if [ -d "$data/member" ] && { [ -z "$id" ] || { [ -e "$joined" ] && [ "$(cat "$joined")" != "$id" ]; }; }; then
    # Data of a member that was removed: they are kept aside.
    systemctl stop etcd; mv -T "$data" "$data.removed-$(date -u +%Y%m%dT%H%M%SZ)" || exit 1
  fi
  if [ ! -d "$data/member" ]; then
    systemctl stop etcd; rm -f "$joined"
    # It has run before, so its data are lost: it gets a new identity.
    if [ "$id" ] && [ "$(printf '%s\n' "$line" | awk -F ', ' '{ print $5 }')" ]; then
      until said=$(ask_others member remove "$id" 2>&1); do in_time || fail "etcd does not let the lost member $name go: $said"; sleep 1; done
      id=
    fi
    if [ -z "$id" ]; then
      until said=$(ask_others member add "$name" --learner --peer-urls="$peer" 2>&1); do
        id=$(id_of); [ -z "$id" ] || break
        in_time || fail "etcd does not accept the member $name: $said"
        sleep 1
      done
    fi
    list=$(ask_others member list) || fail 'The other members do not answer any more.'
    write_initial "$(printf '%s\n' "$list" | awk -F ', ' -v peer="$peer" -v name="$name" '{ if ($4 == peer) $3 = name; if ($3 == "") $3 = "unstarted"; printf "%s%s=%s", (NR > 1 ? "," : ""), $3, $4 }')" existing
  fi
elif [ ! -d "$data/member" ]; then
  write_initial ${all} new
fi
systemctl daemon-reload; systemctl reset-failed etcd 2>/dev/null
systemctl enable -q etcd; systemctl start --no-block etcd || exit 1
until line=$(ask_any member list 2>/dev/null | mine) && [ "$line" ] && ETCDCTL_ENDPOINTS=$own "$ctl" endpoint status >/dev/null 2>&1; do
  in_time || fail "$name has not joined the cluster: a majority of the members has to run."
  sleep 0.3
done
id=$(printf '%s\n' "$line" | cut -d , -f 1)
while [ "$(ask_any member list 2>/dev/null | mine | awk -F ', ' '{ print $6 }')" != false ]; do
  in_time || fail "$name does not get a vote: $said"
  said=$(ask_others member promote "$id" 2>&1) || sleep 0.5
done
until said=$(ETCDCTL_ENDPOINTS=$own "$ctl" endpoint health 2>&1); do in_time || fail "$said"; sleep 0.3; done
printf '%s\n' "$id" > "$joined.new" && sync "$joined.new" && mv "$joined.new" "$joined"`
}

/** Other members may be coming back in this same run. */
function withMajority(silent: readonly string[]): Shell {
  return sh`n=0
until [ -d "$data/member" ] || ask_others member list >/dev/null 2>&1; do
  n=$((n + 1)); [ $n -lt 10 ] || fail ${refusal(silent)}
  sleep 1
done`
}

function refusal(silent: readonly string[]): string {
  return silent.length > 0
    ? `No new cluster is begun while ${silent.join(', ')} cannot be reached: there may be one.`
    : 'The cluster has no majority, so no member can join. Bring its members back first.'
}
