import {
  askEach,
  askHost,
  type Check,
  expect,
  type Group,
  type Host,
  type HostAnswer,
  Problem,
  Unknown,
} from 'provision-ts'
import { runs } from '../base/checks.ts'
import { type Health, health } from './lib/health.ts'

export type DatabaseHost = Host<{ readonly seed: boolean }>
export type Found = HostAnswer<Health | Problem, DatabaseHost>
export type ServerHealth = Health & { readonly host: DatabaseHost }

/** The next action for a server with a problem. */
export const SEE_LOGS = { next: 'See the logs below /var/log/postgresql on these hosts.' } as const

/** Checks of each server, and of all of them together. Those of the roles `postgres-primary` and `postgres-replica` come in addition. */
export function postgresChecks(
  db: Group<DatabaseHost>,
  { unit = 'postgresql@*-main.service' }: { readonly unit?: string } = {},
): readonly Check[] {
  const all = askEach(db, health)
  return [
    ...db.hosts.flatMap((host) => [
      runs(host, unit, unit.startsWith('postgresql') ? 'postgresql' : unit),
      expect('PostgreSQL answers', askHost(host, health), (answer) => (answer instanceof Problem ? answer : undefined)),
    ]),
    expect('all servers are on the same timeline', all, judged(oneTimeline), SEE_LOGS),
    expect(
      'no setting needs a restart',
      all,
      judged(({ host, pending }) => pending.map((name) => `${name} on ${host.name} needs one`)),
    ),
  ]
}

type Wrong = (one: ServerHealth, all: readonly ServerHealth[]) => readonly string[]

/** Fails if one server has a problem; otherwise unknown until all servers answer. */
export function judged(wrong: Wrong) {
  return (found: readonly Found[]): string | Unknown | undefined => {
    const all = servers(found)
    const problems = all.flatMap((one) => wrong(one, all))
    return problems.length > 0 ? problems.join('; ') : unanswered(found)
  }
}

export function primariesIn(found: readonly Found[]): readonly ServerHealth[] {
  return servers(found).filter(({ standby }) => !standby)
}

export function servers(found: readonly Found[]): readonly ServerHealth[] {
  return found.flatMap(({ host, answer }) => (answer && !(answer instanceof Problem) ? [{ host, ...answer }] : []))
}

export function silentHosts(found: readonly Found[]): readonly string[] {
  return found.flatMap(({ host, answer }) => (!answer || answer instanceof Problem ? [host.name] : []))
}

export function unanswered(found: readonly Found[]): Unknown | undefined {
  const silent = silentHosts(found)
  return silent.length === 0 ? undefined : new Unknown(`no answer from ${silent.join(', ')}`)
}

function oneTimeline({ host, standby, timeline }: ServerHealth, all: readonly ServerHealth[]): readonly string[] {
  const primary = all.find((one) => !one.standby)
  return standby && primary && timeline !== primary.timeline
    ? [`${host.name} is on ${timeline}, and ${primary.host.name} is on ${primary.timeline}`]
    : []
}
