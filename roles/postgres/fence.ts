import { dropIn, file, type Shell, type Steps, sh } from 'provision-ts'
import type { Paths, PostgresParams } from './params.ts'
import { peer, sequence } from './shell.ts'

type Peer = PostgresParams['peers'][number]

const PROGRAM = '/usr/local/libexec/provision-postgres-fence'

/**
 * Keeps an old primary from coming up as a second one, after a boot or a crash: before the server starts as a primary, the other
 * database hosts are asked, and when one of them is a primary on a later timeline it does not start. A peer that is silent cannot
 * be asked; after a boot it gets a while to come up as well. With synchronous replication a second primary that starts all the same
 * acknowledges nothing, since nobody follows it.
 */
export function fence(paths: Paths, peers: readonly Peer[]): Steps {
  return [
    file(PROGRAM, `#!/bin/sh\n# Written by provision.\n${program(paths, peers).text}\n`, { mode: '0755' }),
    dropIn(paths.unit, 'provision', `${UNIT}ExecCondition=${PROGRAM}\n`),
  ]
}

/**
 * Debian's unit is never started again after a crash, may start before the host has its address, and starts Perl to send a signal when
 * it stops: writes would wait for that in a switchover.
 */
const UNIT = `[Unit]
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Restart=on-failure
RestartSec=2s
ExecStop=
KillMode=mixed
KillSignal=SIGINT
`

function program({ data, bin }: Paths, peers: readonly Peer[]): Shell {
  return sh`data=${data}
[ -s "$data/PG_VERSION" ] && [ ! -e "$data/standby.signal" ] || exit 0
control=$(${bin}/pg_controldata "$data" 2>/dev/null) || exit 0
system=$(printf '%s\n' "$control" | sed -n 's/^Database system identifier: *//p')
timeline=$(printf '%s\n' "$control" | sed -n 's/^Latest checkpoint.s TimeLineID: *//p')
# Right after a promotion only the history file tells of the new timeline.
for history in "$data"/pg_wal/*.history; do
  [ -e "$history" ] || continue
  history=$(basename "$history" .history)
  [ "$((0x$history))" -le "$timeline" ] || timeline=$((0x$history))
done
uptime_now() { cut -d . -f 1 /proc/uptime; }
end=0; [ "$(uptime_now)" -ge 120 ] || end=$(($(uptime_now) + 15))
consider() {
  [ "$1" = primary ] && [ "$3" = "$system" ] && [ "$2" -ge "$timeline" ] || return 0
  echo "Not started as a primary: $name is the primary, on timeline $2, and this host was one on timeline $timeline."
  exit 1
}
${sequence(peers.map((one) => asked(bin, one)))}`
}

function asked(bin: string, { name, address }: Peer): Shell {
  return sh`${peer({ bin }, address)}
name=${name}
until said=$(peer 3); [ "$said" != silent ] || [ "$(uptime_now)" -ge "$end" ]; do sleep 0.5; done
consider $said`
}
