import { read, resource, sh } from 'provision-ts'
import { DIRECTORY, ETC, UNIT } from '../params.ts'

const UNIT_FILE = `/etc/systemd/system/${UNIT}.service`

/** Nothing of the role is on the host. */
export const noFastFailover = resource<object, boolean>('fast failover', {
  id: () => 'none',
  affects: 'itself',
  read: () =>
    read(
      sh`for path in ${UNIT_FILE} ${DIRECTORY} ${ETC}; do [ ! -e "$path" ] || echo there; done`,
      ({ stdout }) => stdout.includes('there'),
      { fakeValue: () => false },
    ),
  diff: (_params, isThere) => (isThere ? { action: 'remove', fields: [] } : undefined),
  apply: () => [
    sh`unit=${UNIT}.service
[ ! -e ${UNIT_FILE} ] || systemctl disable -q --now "$unit" || exit 1
rm -rf ${UNIT_FILE} ${DIRECTORY} ${ETC} && systemctl daemon-reload`,
  ],
})
