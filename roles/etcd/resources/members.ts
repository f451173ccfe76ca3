import { type Command, mapRead, read, resource, sh } from 'provision-ts'
import { CONTROL, type Member, peerUrl } from '../params.ts'
import { type Listed, parseMemberState } from './member.ts'

interface Params {
  /** Those that stay. */
  readonly members: readonly Member[]
}

const listed = mapRead(
  read(
    sh`
[ ! -x ${CONTROL} ] || ${CONTROL} member list 2>/dev/null | sed 's/^/member /'
echo end`,
    ({ stdout }) => parseMemberState(stdout),
    { fakeValue: () => ({ active: false, hasData: false, joined: undefined, listed: [] }) },
  ),
  (state) => state.listed,
)

/** The cluster has no members but these. They are removed one at a time, each while the members that stay are healthy. */
export const noFormerMembers = resource<Params, readonly Listed[]>('etcd members', {
  id: ({ members }) => members.map(({ name }) => name).join(', '),
  affects: 'itself',
  read: () => listed,
  diff: ({ members }, have) => {
    const former = formerOf(members, have)
    return former.length === 0
      ? undefined
      : {
          action: 'remove',
          fields: former.map((one) => ({ name: one.name || one.id, from: one.peer, to: '' })),
        }
  },
  apply: ({ members }, have) => formerOf(members, have).map(removed),
})

/** With none of the members in the list it is the list of another cluster. */
function formerOf(members: readonly Member[], have: readonly Listed[]): readonly Listed[] {
  const peers = members.map(peerUrl)
  return have.some(({ peer }) => peers.includes(peer)) ? have.filter(({ peer }) => !peers.includes(peer)) : []
}

function removed({ id, name }: Listed): Command {
  return {
    script: sh`n=0
until ! list=$(${CONTROL} member list 2>/dev/null) || ! printf '%s\n' "$list" | grep -q ${`^${id}, `}; do
  said=$(${CONTROL} member remove ${id} 2>&1) && continue
  n=$((n + 1)); [ $n -lt 60 ] || { printf '%s\n' ${`etcd does not let ${name} go:`} "$said" >&2; exit 1; }
  sleep 1
done
${CONTROL} member list >/dev/null`,
    timeout: '5m',
  }
}
