import type { PrimaryRecord } from '../../roles/postgres/lib/record.ts'

/** db2 has been the primary on timeline 3 since a failover; commits wait for db1. */
export const RECORD: PrimaryRecord = {
  ...{ format: 1, generation: 5, event: 'failover', at: '2026-01-31T12:00:00.000Z' },
  ...{ system: '77', timeline: 3, primary: 'db2', address: '198.18.0.42' },
  ...{ since: '2026-01-31T12:00:00.000Z', waitsFor: ['db1'], behind: [] },
  ...{ hosts: ['app1', 'db1', 'db2'], log: [] },
}
