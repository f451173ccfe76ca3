import { Problem, resource, type Shell, sh } from 'provision-ts'
import { type ClusterState, clusterState } from '../../postgres/lib/cluster-state.ts'
import { checkVersion, createData } from '../../postgres/lib/data-directory.ts'
import { foreignCluster } from '../../postgres/lib/primary.ts'
import type { Paths } from '../../postgres/params.ts'

interface DataParams {
  readonly host: string
  readonly paths: Paths
}

/** The data directory of a primary: a new, empty cluster if there was never one. Existing data are never changed. */
export const primaryData = resource<DataParams, ClusterState>('database cluster', {
  id: ({ paths }) => paths.data,
  read: () => clusterState.read,
  diff: (params, have) => {
    if (have.kind === 'foreign') throw foreignCluster(params.host, have)
    if (have.kind === 'nothing') return { action: 'create', fields: [] }
    if (have.kind === 'lost') throw missingData(params, 'Mount the disk or restore the data, and run again.')
    checkVersion(params, have)
    return undefined
  },
  apply: ({ paths }) => [{ script: createData(paths, initdb(paths)), timeout: '30m' }],
})

function initdb({ bin }: Paths): Shell {
  return sh`postgres ${bin}/initdb -D "$at" --encoding=UTF8 --locale=C.UTF-8 --data-checksums --auth-local=peer --auth-host=scram-sha-256 --no-instructions`
}

function missingData({ host, paths }: DataParams, next: string): Problem {
  return new Problem(`${host} has a configuration of PostgreSQL, but no data in ${paths.data}`, {
    details: ['There is no primary to copy from.'],
    next,
  })
}
