import { role } from 'provision-ts'
import { type PostgresParams, pathsOf } from '../postgres/params.ts'
import { momentTaken as momentStep } from './kinds/moment.ts'
import { type MovedAsideParams, movedAside as movedStep } from './kinds/moved-aside.ts'
import { type RestoreTestParams, restoreTest as testStep } from './kinds/restore-test.ts'
import { type RestoredParams, restored as restoredStep } from './kinds/restored.ts'
import { REPOSITORY } from './params.ts'

type Version = Pick<PostgresParams, 'version'>

/** See {@link momentStep}. */
export const momentTaken = role('backup-moment', (params: Version & { readonly run: string }, { facts }) =>
  momentStep({ run: params.run, paths: pathsOf(params, facts) }),
)

/** See {@link testStep}. */
export const restoreTest = role(
  'restore-test',
  (params: Version & Omit<RestoreTestParams, 'paths' | 'repository'>, { facts }) =>
    testStep({ ...params, paths: pathsOf(params, facts), repository: REPOSITORY }),
)

/** See {@link restoredStep}. */
export const restored = role('restore', (params: Version & Omit<RestoredParams, 'paths'>, { facts }) =>
  restoredStep({ ...params, paths: pathsOf(params, facts) }),
)

/** See {@link movedStep}. */
export const movedAside = role('restore', (params: Version & Omit<MovedAsideParams, 'paths'>, { facts }) =>
  movedStep({ ...params, paths: pathsOf(params, facts) }),
)
