import {
  directory,
  file,
  handler,
  line,
  type Probe,
  pkg,
  probe,
  type Secret,
  type Steps,
  service,
  sh,
  transaction,
} from 'provision-ts'
import { type BackupHost, type BackupHostParams, PORT } from '../params.ts'
import { backupConflicts } from './conflicts.ts'

export const CONFIG = '/etc/pgbackrest/pgbackrest.conf'
/** The only file with a secret. */
export const PASSPHRASE = '/etc/pgbackrest/conf.d/passphrase.conf'
const DROP_IN = '/etc/systemd/system/pgbackrest.service.d/provision.conf'
export const TRUSTED = '/etc/pgbackrest/tls/authority.crt'
export const CERTIFICATE = '/etc/pgbackrest/tls/host.crt'
export const KEY = '/etc/pgbackrest/tls/host.key'

/** Readable by the server, writable by root only. */
const FOR_SERVER = { group: 'postgres', mode: '0640' } as const

interface ServerParams extends BackupHostParams {
  /** The other end of connections, by name. */
  readonly others: readonly BackupHost[]
  readonly config: string
  /** The part of the configuration with the passphrase. */
  readonly secret?: Secret
}

/** pgBackRest and its server. The configuration is valid and active, or rolled back. */
export function server({ name, address, certificate, authority, others, config, secret }: ServerParams): Steps {
  const files = [TRUSTED, CERTIFICATE, KEY, ...(secret ? [PASSPHRASE] : [])]
  return [
    backupConflicts({ config: CONFIG, address, port: PORT, files, others }),
    pkg('pgbackrest'),
    // pgBackRest uses the names of certificates and resolves them on the host.
    others.map((other) =>
      line('/etc/hosts', `${other.address} ${other.name}`, { match: new RegExp(`^\\S+\\s+${other.name}$`) }),
    ),
    directory('/etc/pgbackrest/tls'),
    directory('/etc/pgbackrest/conf.d'),
    transaction(
      'pgbackrest configuration',
      [
        file(DROP_IN, UNIT),
        file(CONFIG, config, { ...FOR_SERVER, backup: true }),
        ...(secret ? [file(PASSPHRASE, secret, FOR_SERVER)] : []),
        file(TRUSTED, authority),
        file(CERTIFICATE, certificate.certificate, FOR_SERVER),
        file(KEY, certificate.key, FOR_SERVER),
      ],
      { validate: VALID, activate: apply, probe: servesCertificate(name, address) },
    ),
    service('pgbackrest'),
  ]
}

/** A reload keeps open sessions, also of a running backup. A changed unit needs a restart. */
const apply = handler(
  'apply the pgbackrest configuration',
  sh`
how=reload-or-restart
[ "$(systemctl show -p NeedDaemonReload --value pgbackrest)" = no ] || how=restart
# The transaction has already run daemon-reload.
[ -z "\${provision_reloaded-}" ] || how=restart
systemctl daemon-reload; systemctl reset-failed pgbackrest 2>/dev/null
systemctl $how pgbackrest || { journalctl -q --no-pager -o cat -n 5 -u pgbackrest; exit 1; }`,
)

/**
 * A ping reads the whole configuration and reports errors. Then it finds no server on that port, which is expected. (In pgBackRest 2.55
 * `version` reads nothing and takes no options.)
 */
const VALID = sh`
said=$(timeout 1 setpriv --reuid postgres --regid postgres --init-groups pgbackrest --log-level-console=warn --tls-server-port=1 server-ping 127.0.0.1 2>&1)
case $? in 49 | 124) ;; *) printf '%s\n' "$said"; exit 1 ;; esac
case $said in *WARN*) printf '%s\n' "$said"; exit 1 ;; esac
certificate=${CERTIFICATE} key=${KEY}
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || { echo 'The key does not match the certificate.'; exit 1; }`

function servesCertificate(name: string, address: string): Probe {
  return probe(
    `pgBackRest answers on port ${PORT}`,
    sh`
certificate=${CERTIFICATE}
said=$(timeout 5 openssl s_client -connect ${`${address}:${PORT}`} -CAfile ${TRUSTED} -cert ${CERTIFICATE} -key ${KEY} -verify_return_error -verify_hostname ${name} </dev/null 2>&1)
[ "$(printf '%s\n' "$said" | openssl x509 -noout -fingerprint -sha256)" = "$(openssl x509 -in "$certificate" -noout -fingerprint -sha256)" ] || {
  printf '%s\n' "$said" | grep -iE 'error|verify|refused|errno' >&2; journalctl -q --no-pager -o cat -n 5 -u pgbackrest >&2; exit 1; }`,
    { timeout: '10s' },
  )
}

/** Debian's unit sleeps for three seconds after each start. */
const UNIT = `[Unit]
Wants=network-online.target
After=network-online.target

[Service]
ExecStartPost=
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
`
