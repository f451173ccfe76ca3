import { absent, command, type Drain, drain, file, type Host, runOn, type Shell, type Steps, sh } from 'provision-ts'
import { MAINTENANCE } from '../params.ts'

/** The switch is in /run. This sets it at boot, before keepalived starts. */
const AT_BOOT = '/etc/tmpfiles.d/provision-maintenance.conf'

/** Moves the address to a peer until {@link allowVip}, also over a reboot of this host. */
export function moveVipAway(vip: string): Steps {
  return [
    file(AT_BOOT, `# Written by provision: this host is in maintenance.\nf+ ${MAINTENANCE} 0644 root root - 1\n`),
    command(`move ${bare(vip)} to a peer`, moveAway(vip), {
      unless: sh`${vipFunctions(vip)}; switched && ! holds`,
    }),
  ]
}

/** Allows the address to return. @param first this host has the highest priority, so wait until it holds the address */
export function allowVip(vip: string, { first }: { readonly first: boolean }): Steps {
  return [
    absent(AT_BOOT),
    command(`allow ${bare(vip)} on this host`, sh`${switchOff()}${first ? waitForVip(vip) : sh``}`, {
      unless: sh`${vipFunctions(vip)}; ! switched`,
    }),
  ]
}

/** A peer holds the address while the host changes. */
export function releaseVip(vip: string): Drain {
  return drain('virtual IP address', {
    drain: (host: Host) => [runOn(host, sh`systemctl is-active -q keepalived || exit 0; ${moveAway(vip)}`)],
    undrain: (host: Host) => [runOn(host, switchOff())],
  })
}

function moveAway(vip: string): Shell {
  return sh`${vipFunctions(vip)}
echo 1 > ${MAINTENANCE}
end=$(($(date +%s) + 10))
while holds; do
  [ "$(date +%s)" -lt "$end" ] || { echo 0 > ${MAINTENANCE}; echo 'no peer takes the virtual IP address' >&2; exit 1; }
  sleep 0.05
done
# Requests that arrived before are answered.
sleep 1`
}

function switchOff(): Shell {
  return sh`echo 0 > ${MAINTENANCE}`
}

/** The check of keepalived must succeed first. */
function waitForVip(vip: string): Shell {
  return sh`
${vipFunctions(vip)}
end=$(($(date +%s) + 20))
until holds; do
  [ "$(date +%s)" -lt "$end" ] || { echo 'the virtual IP address does not return; check that haproxy answers' >&2; exit 1; }
  sleep 0.1
done`
}

function vipFunctions(vip: string): Shell {
  return sh`
holds() { ip -o address show to ${bare(vip)} | grep -q .; }
switched() { grep -qsx 1 ${MAINTENANCE}; }`
}

function bare(vip: string): string {
  return vip.replace(/\/.*/, '')
}
