import type { Mirror } from '../apt/sources.ts'
import { APT_PORT, GATEWAY } from '../network/addresses.ts'
import type { Debian } from '../state.ts'

export const RELEASE_NAMES: Readonly<Record<Debian, string>> = { 12: 'bookworm', 13: 'trixie' }

/** What a small server has on its first day. What a role needs it installs itself. */
export const basePackages: readonly string[] = [
  ...['systemd', 'systemd-sysv', 'dbus', 'libpam-systemd', 'openssh-server', 'sudo'],
  ...['iproute2', 'iputils-ping', 'nftables', 'netbase', 'procps', 'curl', 'ca-certificates', 'apt-utils'],
  'python3-minimal', // for other tools that are timed side by side with this one
]

/** Logs in with the lab's key, and needs no password for sudo. */
export const DEPLOY = 'deploy'
/** Logs in with the same key, and needs a password for sudo. (Debian has a group of that name, for no user.) */
export const OPERATOR = 'operator'

/** Always plain http: a host knows no way out but the proxy, which itself asks the mirror by https where the machine does. */
export function sourcesList(debian: Debian, mirror: Mirror): string {
  const release = RELEASE_NAMES[debian]
  const archive = plain(mirror.archive)
  const lines = [`deb ${archive} ${release} main`, `deb ${archive} ${release}-updates main`]
  if (mirror.security) lines.push(`deb ${plain(mirror.security)} ${release}-security main`)
  return `${lines.join('\n')}\n`
}

/**
 * Run as root inside the new image. Nothing here belongs to one host: keys, names and passwords come with its disk.
 * To a host's sshd everybody who comes from this machine has one address, and newer ones shut out an address that
 * often fails: one person's mistyped password would be another's closed door.
 */
export function finishingScript(debian: Debian, mirror: Mirror): string {
  return `
cat > /etc/apt/sources.list <<'END'
${sourcesList(debian, mirror)}END
rm -f /etc/apt/apt.conf.d/99mmdebstrap /etc/apt/sources.list.d/*
cat > /etc/apt/apt.conf.d/90lab <<'END'
Acquire::http::Proxy "http://${GATEWAY}:${APT_PORT}";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
END
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/lab
echo LANG=C.UTF-8 > /etc/default/locale

useradd --create-home --shell /bin/bash ${DEPLOY}
useradd --create-home --shell /bin/bash --gid ${OPERATOR} --groups sudo ${OPERATOR}
echo '${DEPLOY} ALL=(ALL:ALL) NOPASSWD:ALL' > /etc/sudoers.d/${DEPLOY}
chmod 0440 /etc/sudoers.d/${DEPLOY}

if sshd -G 2>/dev/null | grep -q persourcepenalties; then
  echo 'PerSourcePenaltyExemptList ${GATEWAY}' > /etc/ssh/sshd_config.d/lab.conf
fi
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: > /etc/machine-id
: > /etc/resolv.conf
cd /etc/systemd/system
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer console-getty.service; do
  ln -sfn /dev/null "$unit"
done
`
}

function plain(uri: string): string {
  return uri.replace(/^https:/, 'http:')
}
