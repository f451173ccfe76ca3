import { dropIn, file, restarted, type Shell, type Steps, service, sh, unit } from 'provision-ts'
import { PLACEHOLDER } from '../lib/promotion.ts'
import { RECORD } from '../lib/record.ts'
import { peerFunction, sequence } from '../lib/shell.ts'
import type { Paths, PostgresParams } from '../params.ts'

type Peer = PostgresParams['peers'][number]

const PROGRAM = '/usr/local/libexec/provision-postgres-fence'

/** Seconds. */
export const BOOT_GRACE = 15

export interface FenceParams {
  readonly paths: Paths
  /** The host's own name. */
  readonly name: string
  readonly peers: readonly Peer[]
  /** Seconds that a silent peer gets after a boot of this host. */
  readonly bootGrace: number
}

/**
 * Keeps an old primary from being a second one. Before the server starts as a primary, after a boot or a crash, the other database hosts
 * are asked, and when one of them is a primary on a later timeline it does not start. The same holds when the host's own record names a
 * later primary, unless that says that it was not promoted. A peer that is silent cannot be asked; after a boot it gets a while to come up
 * as well. A primary that runs and that no replica follows asks them every few seconds: one that was cut off while another was promoted
 * stops when the cut ends. Until then it acknowledges nothing where commits wait for a replica.
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
Description=Stops a PostgreSQL that was a primary and has a successor
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
 * Debian's unit is never started again after a crash, may start before the host has its address, sleeps for two seconds after each start
 * although the server itself says when it is ready, and starts Perl to send a signal when it stops: writes would wait for both in a
 * switchover. systemd may take a server that was killed for one that ended well, so it is started again whatever it says, but after
 * `systemctl stop`. What Debian's wrapper does beside that is done here: the account, the log, and that the kernel, when memory runs out,
 * may end one of the server's processes but not the server. What the fence says is for the journal, not for the server's log.
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
  # Right after a promotion only the history file tells of the new timeline.
  for history in "$data"/pg_wal/*.history; do
    [ -e "$history" ] || continue
    history=$(basename "$history" .history)
    [ "$((0x$history))" -le "$timeline" ] || timeline=$((0x$history))
  done
}
uptime_now() { cut -d . -f 1 /proc/uptime; }
# Seconds since this host booted: in a container /proc/uptime is that of the machine, and PID 1 is its own.
booted() { echo $(($(uptime_now) - $(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20) / $(getconf CLK_TCK))); }
field() { sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$record" 2>/dev/null | head -n 1; }
# True when the host's own record names another primary on the same or a later timeline. It is written before a promotion: a host that
# still is a standby on an older timeline was not promoted.
recorded() {
  [ "$(field system)" = "$system" ] || return 1
  name=$(field primary) its=$(field timeline)
  [ "$name" ] && [ "$name" != ${own} ] && [ "$its" -ge "$timeline" ] || return 1
  set -- $(said_by "$name")
  [ "$1" != standby ] || [ "$2" -ge "$its" ]
}
said_by() {
  case $1 in
${sequence(peers.map((one) => saidBy(bin, one)))}
  *) echo silent ;;
  esac
}
# Whether a peer that said this is a primary, from the timeline on.
succeeds() { [ "$1" = primary ] && [ "$3" = "$system" ] && [ "$2" -ge "$least" ]; }
successor() {
${sequence(peers.map((one) => asked(bin, one)))}
  return 1
}
if [ "$1" = watch ]; then
  # The titles of the server's processes tell of replicas without a connection, which would be a line in its log each time.
  while sleep 3; do
    is_primary && systemctl is-active -q ${server} && ! pgrep -u postgres -f '^postgres: .*walsender .* streaming' >/dev/null || continue
    known && least=$((timeline + 1)) end=0 || continue
    successor || recorded || continue
    is_primary || continue
    echo "Stopped: $name is the primary, on timeline $its, and this host was one on timeline $timeline."
    systemctl stop ${server}
  done
fi
# A promotion was cut off: with a placeholder that no later timeline follows, a standby would not start.
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

function saidBy(bin: string, { name, address }: Peer): Shell {
  return sh`  ${name})
${peerFunction({ bin }, address)}
    peer 3 ;;`
}

function asked(bin: string, { name, address }: Peer): Shell {
  return sh`${peerFunction({ bin }, address)}
  until said=$(peer 3); [ "$said" != silent ] || [ "$(uptime_now)" -ge "$end" ]; do sleep 0.5; done
  if succeeds $said; then name=${name}; set -- $said; its=$2; return 0; fi`
}
