import { read, resource, sh } from 'provision-ts'
import { CONTROL } from '../../etcd/params.ts'
import { NAMESPACE } from '../params.ts'

/** etcd has nothing of the cluster, so that one can begin again. */
export const forgottenCluster = resource<{ readonly scope: string }, boolean>('patroni cluster', {
  id: ({ scope }) => `no ${scope}`,
  affects: 'itself',
  read: ({ scope }) =>
    read(
      sh`prefix=${`${NAMESPACE}${scope}/`}
[ ! -x ${CONTROL} ] || ! systemctl is-active -q etcd || ${CONTROL} get --prefix --keys-only "$prefix" 2>/dev/null`,
      ({ stdout }) => stdout.trim() !== '',
      { fakeValue: () => false },
    ),
  diff: (_params, isThere) => (isThere ? { action: 'remove', fields: [] } : undefined),
  apply: ({ scope }) => [sh`${CONTROL} del --prefix ${`${NAMESPACE}${scope}/`} >/dev/null`],
})
