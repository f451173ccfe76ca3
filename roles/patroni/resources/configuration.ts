import { file, handler, type Step, sh, transaction } from 'provision-ts'
import { formatEndpoint, formatHost } from '../../endpoint.ts'
import { TRUSTED as POSTGRES_TRUSTED } from '../../postgres/lib/files.ts'
import { type Paths, PORT } from '../../postgres/params.ts'
import {
  BEFORE_STOP,
  CERTIFICATE,
  CONFIG,
  DROP_IN,
  KEY,
  type PatroniParams,
  REST,
  REST_PORT,
  SCOPE,
  TRUSTED,
} from '../params.ts'
import { beforeStop, patroniConf, patroniDropIn, rest, serverConf, type Tls } from '../templates.ts'

const TLS: Tls = { certificate: CERTIFICATE, key: KEY, trusted: TRUSTED }

/** Read by Patroni, which runs as the server's own user; written by root alone. */
const FOR_SERVER = { group: 'postgres', mode: '0640' } as const

/** The files of Patroni, in one transaction. A restart of Patroni would stop the server, so Patroni only reloads them. */
export function configuration(params: PatroniParams, paths: Paths): Step {
  const { name, address, certificate, authority, passwords, etcd, scope = SCOPE, watchdog = 'off' } = params
  const own = etcd.filter((one) => one.name === name)
  const others = etcd.filter((one) => one.name !== name)
  const text = patroniConf({
    ...{ name, scope, tls: TLS, paths, watchdog, beforeStop: BEFORE_STOP },
    rest: formatEndpoint({ address, port: REST_PORT }),
    listen: `${formatHost(address)},localhost:${PORT}`,
    postgres: formatEndpoint({ address, port: PORT }),
    // A database host may be lost together with its primary: those that have no database come before it.
    etcd: [...own, ...[...others].sort((a, b) => Number(a.group === 'db') - Number(b.group === 'db'))].map((one) =>
      formatEndpoint({ address: one.address, port: 2379 }),
    ),
    passfile: { trusted: POSTGRES_TRUSTED },
    password: passwords.replication.map((one) => JSON.stringify(one)),
  })
  return transaction(
    'patroni configuration',
    [
      file(CONFIG, text, { ...FOR_SERVER, backup: true }),
      file(BEFORE_STOP, beforeStop(paths), { mode: '0755' }),
      file(DROP_IN, patroniDropIn({})),
      file(TRUSTED, authority),
      file(CERTIFICATE, certificate.certificate, FOR_SERVER),
      file(KEY, certificate.key, FOR_SERVER),
    ],
    { validate: VALID, activate: REREAD },
  )
}

/** The program that asks the REST API of this host. */
export function restProgram(address: string): Step {
  return file(REST, rest({ url: `https://${formatEndpoint({ address, port: REST_PORT })}`, tls: TLS }), {
    mode: '0755',
  })
}

export function serverDropIn({ config }: Paths): string {
  return serverConf({ conf: `${config}/postgresql.conf` })
}

const VALID = sh`
certificate=${CERTIFICATE} key=${KEY}
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || { echo 'The key is not that of the certificate.'; exit 1; }
python3 -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))' ${CONFIG}`

const REREAD = handler(
  'reload patroni',
  sh`systemctl daemon-reload; ! systemctl is-active -q patroni || systemctl reload patroni`,
)
