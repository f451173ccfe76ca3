import { type Handler, handler, type Probe, probe, type Shell, sh } from 'provision-ts'
import { type Manager, type Paths, PORT } from '../params.ts'
import { CERTIFICATE, KEY, TRUSTED } from './files.ts'

/** Validates the settings with the server's own program, and that certificate and key match. */
export function validateConfiguration({ bin, data, config }: Paths, manager: Manager): Shell {
  const conf = manager === 'patroni' ? `${config}/conf.d/90-provision.conf` : `${config}/postgresql.conf`
  return sh`
data=${data} manager=${manager} empty=
# Patroni copies the data to a new host later. The program wants a directory, and reads no data.
if [ "$manager" = patroni ] && [ ! -d "$data" ]; then
  empty=$(mktemp -d) && chown postgres "$empty" && data=$empty || exit 1
fi
setpriv --reuid postgres --regid postgres --init-groups ${bin}/postgres -C max_connections -D "$data" -c ${`config_file=${conf}`} >/dev/null
status=$?
[ -z "$empty" ] || rmdir "$empty"
[ "$status" = 0 ] || exit 1
certificate=${CERTIFICATE} key=${KEY}
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || { echo 'The key does not match the certificate.'; exit 1; }
openssl x509 -in "$certificate" -noout -checkend 0 >&2 || { echo 'The certificate has expired.'; exit 1; }`
}

/**
 * Activates the files: by a reload, or by a restart if a setting needs one or the server does not run. A reload ignores a broken
 * pg_hba.conf and keeps the old rules, so the file is checked first; a start would fail.
 */
export function applyConfiguration({ unit, bin, data, log }: Paths, manager: Manager = 'systemd'): Handler {
  return handler(
    'apply the postgres configuration',
    sh`
manager=${manager}
export PGHOST=/run/postgresql PGPORT=${PORT} PGCONNECT_TIMEOUT=5
ask() { HOME=/var/lib/postgresql setpriv --reuid postgres --regid postgres --init-groups ${bin}/psql -XAtqw -d postgres -c "$1"; }
answers() { n=0; until ask 'select 1' >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 300 ] || return 1; sleep 0.2; done; }
log_errors() { tail -n 50 ${log} | grep -E 'FATAL|PANIC|ERROR|LOG:  (could not|invalid|configuration|parameter)|CONTEXT|HINT' | tail -n 10 >&2; exit 1; }
restart() {
  if [ "$manager" = patroni ]; then
    said=$(PATRONI_TIMEOUT=60 provision-patroni POST /restart '{}') && answers && return
    printf '%s\n' "$said" >&2; exit 1
  fi
  systemctl daemon-reload && systemctl reset-failed ${unit} 2>/dev/null
  systemctl restart ${unit} || log_errors
  answers || log_errors
}
case $manager in
  # Patroni starts a server that does not run.
  patroni) ask 'select 1' >/dev/null 2>&1 || exit 0 ;;
  *)
    if ! systemctl is-active -q ${unit}; then
      # A server that Patroni has started goes on without it, and not as a process of the unit.
      if ask 'select 1' >/dev/null 2>&1; then setpriv --reuid postgres --regid postgres --init-groups ${bin}/pg_ctl stop -D ${data} -m fast -t 120 >/dev/null || log_errors; fi
      restart
      exit 0
    fi ;;
esac
answers || log_errors
wrong=$(ask "select format('pg_hba.conf line %s: %s', line_number, error) from pg_hba_file_rules where error is not null")
[ -z "$wrong" ] || { printf '%s\n' "$wrong" >&2; exit 1; }
before=$(ask 'select pg_conf_load_time()')
ask 'select pg_reload_conf()' >/dev/null || exit 1
n=0
while [ "$(ask 'select pg_conf_load_time()')" = "$before" ]; do
  n=$((n+1)); [ $n -lt 50 ] || { echo 'The server did not load its files again.' >&2; log_errors; }
  sleep 0.1
done
# cluster_name differs once Patroni has started the server. That needs no restart.
[ "$(ask "select count(*) from pg_settings where pending_restart and name <> 'cluster_name'")" = 0 ] || restart`,
  )
}

/** True if the server presents the certificate for this address. A failed reload silently keeps the old one. */
export function servesCertificate(address: string, manager: Manager = 'systemd'): Probe {
  const shown = address.includes(':') ? `[${address}]` : address
  return probe(
    `TLS on ${shown}:${PORT}`,
    sh`
certificate=${CERTIFICATE} manager=${manager}
# Patroni may not have started the server yet.
[ "$manager" = systemd ] || pgrep -u postgres -x postgres >/dev/null || exit 0
said=$(timeout 5 openssl s_client -connect ${`${shown}:${PORT}`} -starttls postgres -CAfile ${TRUSTED} -verify_return_error -verify_ip ${address} </dev/null 2>&1) || { printf '%s\n' "$said" | grep -iE 'error|verify|refused|errno' >&2; exit 1; }
[ "$(printf '%s\n' "$said" | openssl x509 -noout -fingerprint -sha256)" = "$(openssl x509 -in "$certificate" -noout -fingerprint -sha256)" ]`,
    { timeout: '10s' },
  )
}
