import { role } from 'provision-ts'
import { type PostgresParams, pathsOf } from '../postgres/params.ts'
import { REPOSITORY } from './params.ts'
import { moveDataAside as movedStep, type OldDataParams } from './resources/old-data.ts'
import { type RestoreParams, restoreDatabase as restoredStep } from './resources/restore.ts'
import { type RestoreTestParams, restoreTest as testStep } from './resources/restore-test.ts'
import { recordRowCounts as momentStep } from './resources/row-counts.ts'

type Version = Pick<PostgresParams, 'version'>

/** See {@link momentStep}. */
export const recordRowCounts = role(
  'backup-moment',
  (params: Version & { readonly run: string }, { facts }) =>
    momentStep({ run: params.run, paths: pathsOf(params, facts) }),
)

/** See {@link testStep}. */
export const restoreTest = role(
  'restore-test',
  (params: Version & Omit<RestoreTestParams, 'paths' | 'repository'>, { facts }) =>
    testStep({ ...params, paths: pathsOf(params, facts), repository: REPOSITORY }),
)

/** See {@link restoredStep}. */
export const restoreDatabase = role('restore', (params: Version & Omit<RestoreParams, 'paths'>, { facts }) =>
  restoredStep({ ...params, paths: pathsOf(params, facts) }),
)

/** See {@link movedStep}. */
export const moveDataAside = role('restore', (params: Version & Omit<OldDataParams, 'paths'>, { facts }) =>
  movedStep({ ...params, paths: pathsOf(params, facts) }),
)
