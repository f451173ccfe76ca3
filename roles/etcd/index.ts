import { after, askEach, directory, file, pkg, role, runOnce, type Steps, service, sh, transaction } from 'provision-ts'
import { noConflicts } from '../base/resources/conflicts.ts'
import { restartInTurn } from './lib/restart.ts'
import {
  CERTIFICATE,
  CLIENT_PORT,
  CONFIG,
  CONTROL,
  clientUrl,
  DROP_IN,
  type EtcdParams,
  KEY,
  PEER_PORT,
  peerUrl,
  refuseMembers,
  TRUSTED,
} from './params.ts'
import { memberState, membership } from './resources/member.ts'
import { noFormerMembers } from './resources/members.ts'
import { control, dropInConf, etcdConf, type Tls } from './templates.ts'

export { CLIENT_PORT, type EtcdParams, type Member, PEER_PORT } from './params.ts'

const TLS: Tls = { certificate: CERTIFICATE, key: KEY, trusted: TRUSTED }

/** The key is readable by the server, and written by root alone. */
const FOR_SERVER = { group: 'etcd', mode: '0640' } as const

/** A member of an etcd cluster. Hosts in the play at the same time join one after another. */
export const etcd = role(
  'etcd',
  (params: EtcdParams): Steps => {
    const { name, members, certificate, authority, heartbeat = 100, token = 'provision' } = params
    const others = members.filter((one) => one.name !== name)
    const endpoints = [params, ...others].map(clientUrl)
    return [
      conflicts(params),
      pkg('etcd-server', 'etcd-client'),
      directory('/etc/etcd/tls'),
      file(CONTROL, control({ endpoints, tls: TLS }), { mode: '0755' }),
      // etcd reads them for each connection.
      transaction(
        'etcd certificate',
        [file(CERTIFICATE, certificate.certificate, FOR_SERVER), file(KEY, certificate.key, FOR_SERVER)],
        { validate: PAIR },
      ),
      transaction(
        'etcd configuration',
        [
          file(DROP_IN, dropInConf({})),
          file(TRUSTED, authority),
          file(
            CONFIG,
            etcdConf({
              ...{ name, tls: TLS, heartbeat, election: heartbeat * 10 },
              ...{ client: clientUrl(params), peer: peerUrl(params) },
            }),
            { backup: true },
          ),
        ],
        { activate: restartInTurn(params), timeout: '10m' },
      ),
      runOnce(noFormerMembers({ members })),
      after(askEach({ hosts: others }, memberState), (found) =>
        membership({ member: params, members, token, others: found }),
      ),
      service('etcd'),
    ]
  },
  { os: ['debian 13'], check: refuseMembers },
)

const PAIR = sh`certificate=${CERTIFICATE} key=${KEY}
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || { echo 'The key is not that of the certificate.'; exit 1; }`

function conflicts({ address }: EtcdParams) {
  return noConflicts({
    role: 'etcd',
    config: CONFIG,
    lines: '^[[:space:]]*(ETCD_[A-Z_]+|DAEMON_ARGS)=.',
    files: [CONTROL],
    more: sh`[ ! -d /var/lib/etcd/default/member ] || echo 'more data'`,
    ports: [CLIENT_PORT, PEER_PORT].map((port) => ({ address, port, configured: `:${port}` })),
    own: ['etcd', 'etcd.service'],
    judge: ({ isOurs, more }) =>
      isOurs || more.length === 0
        ? []
        : [
            {
              what: 'etcd has data in /var/lib/etcd/default, and the role did not configure it',
              next: 'If the data are not needed: systemctl stop etcd, and move the directory away.',
            },
          ],
  })
}
