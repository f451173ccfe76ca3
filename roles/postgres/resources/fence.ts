import { dropIn, file, restarted, type Shell, type Steps, service, sh, unit } from 'provision-ts'
import { PLACEHOLDER } from '../lib/promotion.ts'
import { RECORD } from '../lib/record.ts'
import { peerFunction, sequence } from '../lib/shell.ts'
import type { Paths, PostgresParams } from '../params.ts'

type Peer = PostgresParams['peers'][number]

const PROGRAM = '/usr/local/libexec/provision-postgres-fence'

/** Seconds that a silent peer gets after a boot. */
export const BOOT_GRACE = 15

interface FenceParams {
  readonly paths: Paths
  /** The host's own name. */
  readonly name: string
  readonly peers: readonly Peer[]
  /** Seconds to wait for a silent peer after a boot of this host. */
  readonly bootGrace: number
}

/**
 * Fences an old primary. Before the server starts as a primary, it asks the other database hosts, and does not start if one of them is a
 * primary on a later timeline. The same applies if the host's record has a later primary, unless that was not promoted. After a boot it waits
 * for silent peers. A running primary without a replica asks them every few seconds: after a network partition it stops if another host was
 * promoted. With synchronous replication it acknowledges nothing until then.
 */
export function fence(params: FenceParams): Steps {
  const { paths } = params
  const text = `#!/bin/sh\n# Written by provision.\n${program(params).text}\n`
  return [
    file(PROGRAM, text, { mode: '0755', notify: restarted(WATCH) }),
    dropIn(paths.unit, 'provision', serverUnit(paths)),
    unit(`${WATCH}.service`, watchUnit(paths), { notify: restarted(WATCH) }),
    service(WATCH),
  ]
}

const WATCH = 'provision-postgres-fence'

function watchUnit({ unit: server }: Paths): string {
  return `[Unit]
Description=Stops an old PostgreSQL primary after a failover
After=${server}

[Service]
ExecStart=${PROGRAM} watch
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
`
}

/**
 * Replaces Debian's wrapper, which does not restart after a crash, may start before the host has its address, sleeps for 2 s after each start
 * and starts Perl for a stop. Writes would wait for the latter two in a switchover. systemd may see a killed server as a clean exit, so it
 * always restarts, except after `systemctl stop`. The drop-in also sets the user, the log, and that the OOM killer may kill a process of the
 * server but not the server. Messages of the fence go to the journal.
 */
function serverUnit({ bin, config, log }: Paths): string {
  return `[Unit]
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
User=postgres
UMask=0077
Environment=PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj PG_OOM_ADJUST_VALUE=0
StandardOutput=append:${log}
StandardError=append:${log}
ExecCondition=+systemd-cat -t provision-postgres-fence ${PROGRAM}
ExecStart=
ExecStart=${bin}/postgres -c config_file=${config}/postgresql.conf
ExecReload=
ExecReload=kill -HUP $MAINPID
ExecStop=
KillMode=mixed
KillSignal=SIGINT
Restart=always
RestartSec=2s
`
}

function program({ paths: { data, bin, unit: server }, name: own, peers, bootGrace }: FenceParams): Shell {
  return sh`data=${data}
record=${RECORD}
is_primary() { [ -s "$data/PG_VERSION" ] && [ ! -e "$data/standby.signal" ]; }
known() {
  control=$(${bin}/pg_controldata "$data" 2>/dev/null) || return 1
  system=$(printf '%s\n' "$control" | sed -n 's/^Database system identifier: *//p')
  timeline=$(printf '%s\n' "$control" | sed -n 's/^Latest checkpoint.s TimeLineID: *//p')
  # Just after a promotion only the history file has the new timeline.
  for history in "$data"/pg_wal/*.history; do
    [ -e "$history" ] || continue
    history=$(basename "$history" .history)
    [ "$((0x$history))" -le "$timeline" ] || timeline=$((0x$history))
  done
}
uptime_now() { cut -d . -f 1 /proc/uptime; }
# Seconds since the boot. In a container /proc/uptime belongs to the machine, so the start of PID 1 counts.
booted() { echo $(($(uptime_now) - $(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20) / $(getconf CLK_TCK))); }
field() { sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$record" 2>/dev/null | head -n 1; }
# True if the record of this host has another primary on the same or a later timeline. It is written before the promotion: a host that is
# still a standby on an older timeline was not promoted.
recorded() {
  [ "$(field system)" = "$system" ] || return 1
  name=$(field primary) its=$(field timeline)
  [ "$name" ] && [ "$name" != ${own} ] && [ "$its" -ge "$timeline" ] || return 1
  set -- $(state_of "$name")
  [ "$1" != standby ] || [ "$2" -ge "$its" ]
}
state_of() {
  case $1 in
${sequence(peers.map((one) => stateOf(bin, one)))}
  *) echo silent ;;
  esac
}
# True if this answer of a peer is a primary on the timeline or a later one.
succeeds() { [ "$1" = primary ] && [ "$3" = "$system" ] && [ "$2" -ge "$least" ]; }
successor() {
${sequence(peers.map((one) => checkPeer(bin, one)))}
  return 1
}
if [ "$1" = watch ]; then
  # Process titles show replicas. A connection would write a line to the log each time.
  while sleep 3; do
    is_primary && systemctl is-active -q ${server} && ! pgrep -u postgres -f '^postgres: .*walsender .* streaming' >/dev/null || continue
    known && least=$((timeline + 1)) end=0 || continue
    successor || recorded || continue
    is_primary || continue
    echo "Stopped: $name is the primary, on timeline $its, and this host was one on timeline $timeline."
    systemctl stop ${server}
  done
fi
# A placeholder of an interrupted promotion, without a later timeline, would prevent the start of a standby.
for history in $(ls -r "$data"/pg_wal/*.history 2>/dev/null); do
  grep -qs ${PLACEHOLDER} "$history" || break
  rm -f "$history"
done
is_primary && known || exit 0
end=0; [ "$(booted)" -ge 120 ] || end=$(($(uptime_now) + ${bootGrace}))
least=$timeline
successor || recorded || exit 0
echo "Not started as a primary: $name is the primary, on timeline $its, and this host was one on timeline $timeline."
exit 1`
}

function stateOf(bin: string, { name, address }: Peer): Shell {
  return sh`  ${name})
${peerFunction({ bin }, address)}
    peer 3 ;;`
}

function checkPeer(bin: string, { name, address }: Peer): Shell {
  return sh`${peerFunction({ bin }, address)}
  until said=$(peer 3); [ "$said" != silent ] || [ "$(uptime_now)" -ge "$end" ]; do sleep 0.5; done
  if succeeds $said; then name=${name}; set -- $said; its=$2; return 0; fi`
}
