import { wholeCluster } from '../../operations/automatic-accidents.ts'
import type { Row } from '../row.ts'
import { crashRows } from './crashes.ts'
import { voteRows } from './votes.ts'
import { wholeAutomaticRows } from './whole.ts'

/** The rows for a site with automatic failover of the database: nine hosts of Debian 13. */
export const AUTOMATIC_ROWS: readonly Row[] = [...crashRows, ...voteRows, ...wholeAutomaticRows].map((row) => ({
  ...row,
  repeatable: ({ lab }) => wholeCluster(lab),
}))
