import {
  absent,
  command,
  type Drain,
  drain,
  file,
  type Host,
  runOn,
  type Shell,
  type Steps,
  sh,
} from 'provision-ts'
import { MAINTENANCE } from '../params.ts'

/** The switch is in /run: this sets it before keepalived is started at a boot. */
const AT_BOOT = '/etc/tmpfiles.d/provision-maintenance.conf'

/** The address is with a peer, and stays there over a reboot of this host, until {@link allowVip}. */
export function moveVipAway(vip: string): Steps {
  return [
    file(
      AT_BOOT,
      `# Made by provision: this host is in maintenance.\nf+ ${MAINTENANCE} 0644 root root - 1\n`,
    ),
    command(`${bare(vip)} with a peer`, away(vip), {
      unless: sh`${holding(vip)}; switched && ! holds`,
    }),
  ]
}

/** The address may come back, and does when this host is the one that has it as a rule. */
export function allowVip(vip: string, { first }: { readonly first: boolean }): Steps {
  return [
    absent(AT_BOOT),
    command(`${bare(vip)} may come back`, sh`${back()}${first ? arrived(vip) : sh``}`, {
      unless: sh`${holding(vip)}; ! switched`,
    }),
  ]
}

/** A peer has the address while a host is changed. */
export function releaseVip(vip: string): Drain {
  return drain('without the address', {
    drain: (host: Host) => [runOn(host, sh`systemctl is-active -q keepalived || exit 0; ${away(vip)}`)],
    undrain: (host: Host) => [runOn(host, back())],
  })
}

function away(vip: string): Shell {
  return sh`${holding(vip)}
echo 1 > ${MAINTENANCE}
end=$(($(date +%s) + 10))
while holds; do
  [ "$(date +%s)" -lt "$end" ] || { echo 0 > ${MAINTENANCE}; echo 'no peer takes the address' >&2; exit 1; }
  sleep 0.05
done
# What came in while it was here is answered.
sleep 1`
}

function back(): Shell {
  return sh`echo 0 > ${MAINTENANCE}`
}

/** Its check has to succeed first. */
function arrived(vip: string): Shell {
  return sh`
${holding(vip)}
end=$(($(date +%s) + 20))
until holds; do
  [ "$(date +%s)" -lt "$end" ] || { echo 'the address does not come back: is haproxy well?' >&2; exit 1; }
  sleep 0.1
done`
}

function holding(vip: string): Shell {
  return sh`
holds() { ip -o address show to ${bare(vip)} | grep -q .; }
switched() { grep -qsx 1 ${MAINTENANCE}; }`
}

function bare(vip: string): string {
  return vip.replace(/\/.*/, '')
}
