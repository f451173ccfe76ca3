import { type Answers, allAnswers, askEach, type Group, type Host, mapAnswers, Problem } from 'provision-ts'
import { type Failover, type FailoverOptions, planFailover } from '../resources/failover.ts'
import { type RecordPlan, recordersIn } from '../resources/record.ts'
import { planSwitchover, type Switchover } from '../resources/switchover.ts'
import { choosePrimaryWithoutReplica } from './disable-sync.ts'
import { knownOf, recordInForce } from './known-record.ts'
import { noReplicaRecord, promotionRecord } from './next-record.ts'
import { surveyed } from './primary.ts'
import { type PrimaryRecord, primaryRecord } from './record.ts'
import { replicationState } from './replication-state.ts'

type Hosts<H extends Host> = Pick<Group<H>, 'hosts'>
type Recorded = { readonly record: RecordPlan }

/** See {@link planFailover}. @param recorders hosts that have a copy of the record, the database hosts among them */
export function failoverPlan<H extends Host>(
  db: Hosts<H>,
  recorders: Hosts<Host>,
  wishes: FailoverOptions,
): Answers<(Failover<H> & Recorded) | undefined> {
  return mapAnswers(
    allAnswers(askEach(db, replicationState), askEach(recorders, primaryRecord)),
    ([all, copies]) => {
      const known = knownOf(copies)
      const move = planFailover(all, wishes, known)
      if (!move) return undefined
      const { to, timeline, system, loss } = move
      const places = all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
      const before = recordInForce(known.record, places)?.primary
      const behind = [
        ...move.fenced,
        ...move.silent.filter(({ name }) => before === undefined || name === before),
      ]
      const make = (now: string) =>
        promotionRecord({ known, places, now, event: 'failover', to, system, timeline, behind, lost: loss })
      return { ...move, record: { make, on: recordersIn(copies) } }
    },
  )
}

/** See {@link planSwitchover}. @param recorders hosts that have a copy of the record, the database hosts among them */
export function switchoverPlan<H extends Host>(
  db: Hosts<H>,
  recorders: Hosts<Host>,
  to?: string,
): Answers<(Switchover<H> & Recorded) | undefined> {
  return mapAnswers(
    allAnswers(askEach(db, replicationState), askEach(recorders, primaryRecord)),
    ([all, copies]) => {
      const known = knownOf(copies)
      const move = planSwitchover(all, to, known)
      if (!move) return undefined
      const places = all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
      const { system, next: timeline } = move
      const make = (now: string) =>
        promotionRecord({
          known,
          places,
          now,
          event: 'switchover',
          to: move.to,
          system,
          timeline,
          behind: [],
        })
      return { ...move, record: { make, on: recordersIn(copies) } }
    },
  )
}

/** A primary that is to acknowledge commits without a replica, and the record that comes first. */
export interface DisableSync<H extends Host> {
  readonly primary: H
  readonly record: PrimaryRecord | undefined
}

/** See {@link choosePrimaryWithoutReplica}. @param recorders hosts that have a copy of the record, the database hosts among them */
export function disableSyncPlan<H extends Host<{ readonly seed: boolean }>>(
  db: Hosts<H>,
  recorders: Hosts<Host>,
  options: { readonly acceptDataLoss: boolean },
): Answers<DisableSync<H> | Problem> {
  return mapAnswers(surveyed(db, recorders), (found) => {
    const primary = choosePrimaryWithoutReplica(found, options)
    if (primary instanceof Problem) return primary
    return { primary, record: noReplicaRecord({ ...found, primary, now: new Date().toISOString() }) }
  })
}
