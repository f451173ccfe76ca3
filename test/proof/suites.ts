import type { UpOptions } from '../../src/lab/index.ts'
import { PAIRS } from '../integration/support.ts'
import { AUTOMATIC_ROWS } from './automatic/rows.ts'
import type { Row } from './row.ts'
import { ROWS } from './rows.ts'

/** The rows that share a site. */
export interface Suite {
  /** The default name of its lab. */
  readonly lab: string
  readonly hosts: Pick<UpOptions, 'hosts' | 'debian'>
  readonly rows: readonly Row[]
  /** True if the first run on bare hosts is a row of its own, `first`. */
  readonly first: boolean
}

/** All rows, by the site that they need. */
export const SUITES: readonly Suite[] = [
  { lab: 'proof', hosts: {}, rows: ROWS, first: true },
  {
    lab: 'proof-automatic',
    hosts: { hosts: [...PAIRS, 'witness1'], debian: 13 },
    rows: AUTOMATIC_ROWS,
    first: false,
  },
]
