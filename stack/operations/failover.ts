import {
  after,
  delegateTo,
  flag,
  type Host,
  optional,
  play,
  playbook,
  runOnce,
  type Ssh,
  type Timeouts,
  text,
  withDescription,
} from 'provision-ts'
import { readFailoverPlan } from '../../roles/postgres/lib/plans.ts'
import { failover as promote } from '../../roles/postgres/resources/failover.ts'
import { isAutomatic } from '../lib/database-params.ts'
import { NEXT_RUN } from '../lib/record.ts'
import { siteSchema } from '../schema.ts'
import { failoverPlays } from '../tiers/automatic-operations.ts'
import { type OperationOptions, type SiteOperation, withOwnPlays } from './operation.ts'

const ignoreUnreachable = ({ name, group }: Host) =>
  group === 'db' ? `not reachable; when it is reachable again: provision rejoin --host ${name}` : NEXT_RUN()

/**
 * With short limits of connection and login, because no write is possible until the primary counts as dead. The replica asks the primary as
 * well, so a slow one is detected. `--timeout-factor` extends the limits where hosts are slow.
 */
export function withShortTimeouts<H extends Host>(host: H): H {
  const timeouts = { ...host.timeouts, login: '1s' } satisfies Timeouts
  return { ...withShortConnect(host), timeouts }
}

/** Application hosts and balancers only store the record. */
function withShortConnect<H extends Host>(host: H): H {
  return { ...host, ssh: { ...host.ssh, connectTimeout: '1s' } satisfies Ssh }
}

/**
 * A replica becomes the primary after the loss of the primary. The old one stays stopped; `rejoin` makes it a replica.
 *
 * @example
 * import { failover } from 'provision-ts/stack'
 *
 * export default failover()
 */
export function failover(own: OperationOptions = {}): SiteOperation {
  return withOwnPlays(
    own,
    playbook(
      siteSchema,
      (values, { to, acceptDataLoss }) => {
        const { db, app, lb, witness } = values
        const hosts = db.hosts.map(withShortTimeouts)
        if (isAutomatic(values)) return failoverPlays(hosts, ignoreUnreachable, { to, acceptDataLoss })
        const others: readonly Host[] = [...app.hosts, ...lb.hosts, ...witness.hosts].map(withShortConnect)
        const all = { hosts: [...hosts, ...others] }
        return [
          play('database: failover', { anyErrorsFatal: true, ignoreUnreachable, hosts: all }, () =>
            runOnce(
              after(
                readFailoverPlan({ hosts }, all, { ...(to && { to }), acceptDataLoss }),
                (move) =>
                  move && delegateTo(move.to, promote({ ...move, others: hosts.filter((host) => host !== move.to) })),
              ),
            ),
          ),
        ]
      },
      {
        description:
          'Promotes a replica if the primary is lost, and reports which writes may be lost. Refused while the primary answers.',
        flags: {
          to: withDescription(
            'the new primary; default: the replica with the latest data',
            optional({ ...text, expects: 'the name of a database host' }),
          ),
          acceptDataLoss: withDescription('continue although acknowledged writes may be lost', flag),
        },
      },
    ),
  )
}
