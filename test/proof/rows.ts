import { balancerRows } from './balancers.ts'
import { databaseRows } from './databases.ts'
import { operationRows } from './operations.ts'
import type { Row } from './row.ts'
import { serverRows } from './servers.ts'
import { quiet, wholeRows } from './whole.ts'

/** All that the site is put through, in the order in which it is proved. */
export const ROWS: readonly Row[] = [
  quiet,
  ...balancerRows,
  ...serverRows,
  ...operationRows,
  ...databaseRows,
  ...wholeRows,
]
