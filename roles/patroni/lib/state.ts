import { ask, type Question, type Read, read, sh } from 'provision-ts'
import { REST } from '../params.ts'

/** The state of a database host as Patroni has it. */
export interface PatroniState {
  /** True if Patroni manages the server here: only Patroni starts and stops it. */
  readonly adopted: boolean
  readonly hasData: boolean
  /** True if Patroni runs. */
  readonly active: boolean
  /** True if the fence of a site without Patroni runs. */
  readonly fenced: boolean
  /** Undefined when Patroni does not answer on this host. */
  readonly member: MemberStatus | undefined
  /** Undefined when Patroni does not answer, or cannot read etcd. */
  readonly cluster: Cluster | undefined
}

/** The answer to `GET /patroni`. */
interface MemberStatus {
  readonly state: string
  readonly role: string
  readonly pause: boolean
  readonly pendingRestart: boolean
  readonly version: string
}

/** The answer to `GET /cluster`. */
export interface Cluster {
  readonly pause: boolean
  readonly members: readonly ClusterMember[]
}

interface ClusterMember {
  readonly name: string
  /** `leader`, `sync_standby`, `replica`, … */
  readonly role: string
  /** `running`, `streaming`, `starting`, … */
  readonly state: string
  /** Bytes; undefined when Patroni does not know. */
  readonly lag: number | undefined
}

/** Its output is for {@link parseState}. */
export const STATE = sh`
for conf in /etc/postgresql/*/main/postgresql.conf; do ! grep -qs 'overwritten by Patroni' "$conf" || echo adopted; done
for data in /var/lib/postgresql/*/main; do [ ! -s "$data/PG_VERSION" ] || echo data; done
! systemctl is-active -q patroni || echo active
! systemctl is-active -q provision-postgres-fence || echo fenced
if [ -x ${REST} ]; then
  export PATRONI_TIMEOUT=4
  for path in patroni cluster; do
    said=$(${REST} GET "/$path" 2>/dev/null) || continue
    # 503 tells of a server that starts or stops.
    case $said in '{'*) printf '%s %s\n' "$path" "$(printf '%s\n' "$said" | head -n 1)" ;; esac
  done
fi
echo end`

export const readState: Read<PatroniState> = read(STATE, ({ stdout }) => parseState(stdout), {
  fakeValue: () => ({
    ...{ adopted: false, hasData: false, active: false, fenced: false },
    ...{ member: undefined, cluster: undefined },
  }),
})

export const patroniState: Question<PatroniState> = ask('its state in the cluster of databases', readState)

/** @throws Error when the answer is not whole */
export function parseState(stdout: string): PatroniState {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.at(-1) !== 'end') throw new Error('the host gave no whole answer about its Patroni')
  const json = (word: string): Record<string, unknown> | undefined => {
    const line = lines.find((one) => one.startsWith(`${word} {`))
    return line === undefined ? undefined : JSON.parse(line.slice(word.length + 1))
  }
  const member = json('patroni')
  const cluster = json('cluster')
  return {
    adopted: lines.includes('adopted'),
    hasData: lines.includes('data'),
    active: lines.includes('active'),
    fenced: lines.includes('fenced'),
    member: member && memberOf(member),
    cluster: cluster && clusterOf(cluster),
  }
}

function memberOf(said: Record<string, unknown>): MemberStatus {
  const { patroni } = said as { readonly patroni?: { readonly version?: string } }
  return {
    state: String(said['state'] ?? 'unknown'),
    // Before version 4 a primary was called master.
    role: String(said['role'] ?? 'unknown').replace('master', 'primary'),
    pause: said['pause'] === true,
    pendingRestart: said['pending_restart'] === true,
    version: patroni?.version ?? 'unknown',
  }
}

function clusterOf(said: Record<string, unknown>): Cluster {
  const members: readonly Record<string, unknown>[] = Array.isArray(said['members']) ? said['members'] : []
  return {
    pause: said['pause'] === true,
    members: members.map(({ name, role, state, lag }) => ({
      name: String(name),
      role: String(role),
      state: String(state),
      lag: typeof lag === 'number' ? lag : undefined,
    })),
  }
}

export function leaderIn(cluster: Cluster | undefined): ClusterMember | undefined {
  return cluster?.members.find(({ role }) => role === 'leader')
}
