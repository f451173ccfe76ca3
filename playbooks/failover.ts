import {
  after,
  askEach,
  delegateTo,
  flag,
  type Host,
  mapAnswers,
  optional,
  play,
  playbook,
  runOnce,
  type Ssh,
  type Timeouts,
  text,
} from 'provision-ts'
import { replicationState } from '../roles/postgres/lib/replication-state.ts'
import { failover, planFailover } from '../roles/postgres/resources/failover.ts'
import { site } from './schema.ts'

const ignoreUnreachable = ({ name }: Host) =>
  `does not answer; when it does again: provision rejoin --host ${name}`

/**
 * With short limits of connection and login: until a dead primary is given up, nothing is written. One that is slow is found by its
 * replica, which asks it as well; where hosts are slow, `--timeout-factor` gives them longer.
 */
export function withShortTimeouts<H extends Host>(host: H): H {
  const ssh = { ...host.ssh, connectTimeout: '1s' } satisfies Ssh
  const timeouts = { ...host.timeouts, login: '1s' } satisfies Timeouts
  return { ...host, ssh, timeouts }
}

/** A replica becomes the primary when that is gone. The old one is kept off; `rejoin` makes it a replica. */
export default playbook(
  site,
  ({ db }, { to, acceptDataLoss }) => {
    const hosts = db.hosts.map(withShortTimeouts)
    return [
      play('database: failover', { anyErrorsFatal: true, ignoreUnreachable, hosts: { hosts } }, () =>
        runOnce(
          after(
            mapAnswers(askEach({ hosts }, replicationState), (all) =>
              planFailover(all, { ...(to && { to }), acceptDataLoss }),
            ),
            (move) =>
              move &&
              delegateTo(move.to, failover({ ...move, others: hosts.filter((host) => host !== move.to) })),
          ),
        ),
      ),
    ]
  },
  {
    description:
      'Makes a replica the primary when the primary is dead or cannot be reached, and says what could be lost. Refuses when the primary answers.',
    flags: {
      /** The host that takes over; the one that has the most unless told. */
      to: optional({ ...text, expects: 'the name of a database host' }),
      /** Goes on although acknowledged writes may be lost. */
      acceptDataLoss: flag,
    },
  },
)
