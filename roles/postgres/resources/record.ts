import { type Command, type Host, type HostAnswer, resource } from 'provision-ts'
import { formatTime } from '../lib/known-record.ts'
import { type Copy, type PrimaryRecord, primaryRecord, writeRecord } from '../lib/record.ts'

/** A record, and the hosts that get it. */
export interface RecordPlan {
  /** Makes the record with the time of writing. */
  readonly make: (now: string) => PrimaryRecord
  readonly on: readonly Host[]
}

/** Returns the hosts that answered and can store a record. */
export function answeringHosts(copies: readonly HostAnswer<Copy>[]): readonly Host[] {
  return copies.flatMap(({ host, answer }) => (answer ? [host] : []))
}

/** Returns a command for each host. All write the same record. */
export function recordCommands({ make, on }: RecordPlan): readonly Command[] {
  const record = make(new Date().toISOString())
  return on.map((host) => ({ ...writeRecord(record), on: host }))
}

interface StoredRecordParams {
  readonly record: PrimaryRecord
}

/** The host has a copy of the newest record. */
export const storedRecord = resource<StoredRecordParams, Copy>('record of the primary', {
  id: ({ record }) => record.primary,
  affects: 'itself',
  read: () => primaryRecord.read,
  diff: ({ record }, have) => {
    const before = have.kind === 'record' ? have.record : undefined
    if (!before) return { action: 'create', fields: fieldsOf(record) }
    if (before.generation >= record.generation) return undefined
    const old = new Map(fieldsOf(before).map(({ name, to }) => [name, to]))
    return {
      action: 'change',
      fields: fieldsOf(record).flatMap(({ name, to }) => {
        const from = old.get(name)
        return from === undefined || from === to ? [] : [{ name, from, to }]
      }),
    }
  },
  apply: ({ record }) => [writeRecord(record)],
})

function fieldsOf({
  event,
  primary,
  timeline,
  waitsFor,
  noReplicaSince,
  behind,
}: PrimaryRecord): readonly { readonly name: string; readonly to: string }[] {
  const none = `no replica${noReplicaSince === undefined ? '' : ` since ${formatTime(noReplicaSince)}`}`
  return [
    { name: 'event', to: event },
    { name: 'primary', to: primary },
    { name: 'timeline', to: String(timeline) },
    { name: 'commits wait for', to: waitsFor.join(', ') || none },
    { name: 'not rejoined', to: behind.map(({ host }) => host).join(', ') || 'none' },
  ]
}
