import { type Answers, allAnswers, askEach, type Group, type Host, mapAnswers, Problem } from 'provision-ts'
import { type Failover, type FailoverOptions, planFailover } from '../resources/failover.ts'
import { answeringHosts, type RecordPlan } from '../resources/record.ts'
import { planSwitchover, type Switchover } from '../resources/switchover.ts'
import { choosePrimaryWithoutReplica } from './disable-sync.ts'
import { newestRecord, validRecord } from './known-record.ts'
import { noReplicaRecord, promotionRecord } from './next-record.ts'
import { databaseStates } from './primary.ts'
import { type PrimaryRecord, primaryRecord } from './record.ts'
import { replicationState } from './replication-state.ts'

type Hosts<H extends Host> = Pick<Group<H>, 'hosts'>
type Recorded = { readonly record: RecordPlan }

/** Reads the hosts and plans a failover, see {@link planFailover}. @param recorders hosts with a copy of the record */
export function readFailoverPlan<H extends Host>(
  db: Hosts<H>,
  recorders: Hosts<Host>,
  options: FailoverOptions,
): Answers<(Failover<H> & Recorded) | Problem | undefined> {
  return mapAnswers(allAnswers(askEach(db, replicationState), askEach(recorders, primaryRecord)), ([all, copies]) => {
    const known = newestRecord(copies)
    const move = planFailover(all, options, known)
    if (!move || move instanceof Problem) return move
    const { to, timeline, system, loss } = move
    const states = all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
    const before = validRecord(known.record, states)?.primary
    const behind = [...move.fenced, ...move.silent.filter(({ name }) => before === undefined || name === before)]
    const make = (now: string) =>
      promotionRecord({ known, states, now, event: 'failover', to, system, timeline, behind, lost: loss })
    return { ...move, record: { make, on: answeringHosts(copies) } }
  })
}

/** Reads the hosts and plans a switchover, see {@link planSwitchover}. @param recorders hosts with a copy of the record */
export function readSwitchoverPlan<H extends Host>(
  db: Hosts<H>,
  recorders: Hosts<Host>,
  to?: string,
): Answers<(Switchover<H> & Recorded) | Problem | undefined> {
  return mapAnswers(allAnswers(askEach(db, replicationState), askEach(recorders, primaryRecord)), ([all, copies]) => {
    const known = newestRecord(copies)
    const move = planSwitchover(all, to, known)
    if (!move || move instanceof Problem) return move
    const states = all.map(({ host, answer }) => ({ host, answer: answer?.cluster }))
    const { system, next: timeline } = move
    const make = (now: string) =>
      promotionRecord({
        known,
        states,
        now,
        event: 'switchover',
        to: move.to,
        system,
        timeline,
        behind: [],
      })
    return { ...move, record: { make, on: answeringHosts(copies) } }
  })
}

/** The primary that will acknowledge commits without a replica, and the record to write before. */
interface DisableSync<H extends Host> {
  readonly primary: H
  readonly record: PrimaryRecord | undefined
}

/** Reads the hosts and plans {@link choosePrimaryWithoutReplica}. @param recorders hosts with a copy of the record */
export function readDisableSyncPlan<H extends Host<{ readonly seed: boolean }>>(
  db: Hosts<H>,
  recorders: Hosts<Host>,
  options: { readonly acceptDataLoss: boolean },
): Answers<DisableSync<H> | Problem> {
  return mapAnswers(databaseStates(db, recorders), (found) => {
    const primary = choosePrimaryWithoutReplica(found, options)
    if (primary instanceof Problem) return primary
    return { primary, record: noReplicaRecord({ ...found, primary, now: new Date().toISOString() }) }
  })
}
