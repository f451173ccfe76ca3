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
/** Read beside the configuration; it alone holds a secret. */
export const PASSPHRASE = '/etc/pgbackrest/conf.d/passphrase.conf'
const DROP_IN = '/etc/systemd/system/pgbackrest.service.d/provision.conf'
export const TRUSTED = '/etc/pgbackrest/tls/authority.crt'
export const CERTIFICATE = '/etc/pgbackrest/tls/host.crt'
export const KEY = '/etc/pgbackrest/tls/host.key'

/** What the server reads and root alone writes. */
const FOR_SERVER = { group: 'postgres', mode: '0640' } as const

interface ServerParams extends BackupHostParams {
  /** Whom it talks to, by their names. */
  readonly others: readonly BackupHost[]
  readonly config: string
  /** What the configuration holds of secrets. */
  readonly secret?: Secret
}

/** pgBackRest and its server: what it is told is valid and in force, or as it was. */
export function server({
  name,
  address,
  certificate,
  authority,
  others,
  config,
  secret,
}: ServerParams): Steps {
  const files = [TRUSTED, CERTIFICATE, KEY, ...(secret ? [PASSPHRASE] : [])]
  return [
    backupConflicts({ config: CONFIG, address, port: PORT, files, others }),
    pkg('pgbackrest'),
    // pgBackRest knows others by the names of their certificates, and asks the host where they are.
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
      { validate: VALID, activate: apply, probe: presents(name, address) },
    ),
    service('pgbackrest'),
  ]
}

/** Sessions that are open, those of a running backup too, outlive a reload; only another unit needs a restart. */
const apply = handler(
  'apply the pgbackrest configuration',
  sh`
how=reload-or-restart
[ "$(systemctl show -p NeedDaemonReload --value pgbackrest)" = no ] || how=restart
# A transaction has had its units read again by now.
[ -z "\${provision_reloaded-}" ] || how=restart
systemctl daemon-reload; systemctl reset-failed pgbackrest 2>/dev/null
systemctl $how pgbackrest || { journalctl -q --no-pager -o cat -n 5 -u pgbackrest; exit 1; }`,
)

/**
 * A command that reads the whole configuration and says at once what is wrong with it; then it finds nobody on that port, which is
 * as good. (In pgBackRest 2.55 `version` reads nothing and takes no options.)
 */
const VALID = sh`
said=$(timeout 1 setpriv --reuid postgres --regid postgres --init-groups pgbackrest --log-level-console=warn --tls-server-port=1 server-ping 127.0.0.1 2>&1)
case $? in 49 | 124) ;; *) printf '%s\n' "$said"; exit 1 ;; esac
case $said in *WARN*) printf '%s\n' "$said"; exit 1 ;; esac
certificate=${CERTIFICATE} key=${KEY}
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || { echo 'The key is not that of the certificate.'; exit 1; }`

function presents(name: string, address: string): Probe {
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
