import { balancerRows } from './balancers.ts'
import { databaseRows } from './databases.ts'
import { operationRows } from './operations.ts'
import type { Row } from './row.ts'
import { serverRows } from './servers.ts'
import { quiet, wholeRows } from './whole.ts'

/** All rows, in the order of the proof. */
export const ROWS: readonly Row[] = [
  quiet,
  ...balancerRows,
  ...serverRows,
  ...operationRows,
  ...databaseRows,
  ...wholeRows,
]
