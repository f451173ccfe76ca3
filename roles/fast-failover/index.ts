import { directory, file, pkg, restarted, role, type Steps, service, sh, transaction, unit } from 'provision-ts'
import { NAMESPACE, SCOPE } from '../patroni/params.ts'
import { CONFIG, DIRECTORY, ETC, type FastFailoverParams, refuseHost, UNIT } from './params.ts'
import { noFastFailover } from './resources/removed.ts'
import { programFiles, unitConf } from './templates.ts'

export type { FastFailoverParams } from './params.ts'

const TLS = `${ETC}/tls`

/** Shortens the automatic failover after the loss of a host: for a host with a member of etcd and no database. */
export const fastFailover = role(
  'fast-failover',
  ({ address, certificate, authority, databases }: FastFailoverParams): Steps => {
    const config = {
      etcd: address,
      prefix: `${NAMESPACE}${SCOPE}/`,
      members: Object.fromEntries(databases.map((one) => [one.name, one.address])),
    }
    return [
      pkg('python3'),
      directory(DIRECTORY),
      directory(TLS),
      transaction(
        'fast failover',
        [
          ...Object.entries(programFiles()).map(([name, text]) => file(`${DIRECTORY}/${name}`, text)),
          file(CONFIG, `${JSON.stringify(config, undefined, 2)}\n`),
          unit(`${UNIT}.service`, unitConf({ program: DIRECTORY, config: CONFIG, tls: TLS })),
          file(`${TLS}/authority.crt`, authority),
          file(`${TLS}/host.crt`, certificate.certificate),
          file(`${TLS}/host.key`, certificate.key, { mode: '0600' }),
        ],
        { validate: VALID, activate: restarted(UNIT) },
      ),
      service(UNIT),
    ]
  },
  { os: ['debian 13'], check: refuseHost },
)

const VALID = sh`certificate=${TLS}/host.crt key=${TLS}/host.key
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || { echo 'The key is not that of the certificate.'; exit 1; }`

/** Removes what {@link fastFailover} has installed. The package of Python stays. */
export const withoutFastFailover = role('without-fast-failover', (_params: object): Steps => noFastFailover({}))
