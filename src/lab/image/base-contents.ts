import type { Mirror } from '../apt/sources.ts'
import type { Debian } from '../base/state.ts'
import { APT_PORT, GATEWAY } from '../network/addresses.ts'

export const RELEASE_NAMES: Readonly<Record<Debian, string>> = { 12: 'bookworm', 13: 'trixie' }

/** Packages of a minimal server. Roles install what they need. */
export const basePackages: readonly string[] = [
  ...['systemd', 'systemd-sysv', 'dbus', 'libpam-systemd', 'openssh-server', 'sudo'],
  ...['iproute2', 'iputils-ping', 'nftables', 'netbase', 'procps', 'curl', 'ca-certificates', 'apt-utils'],
  'python3-minimal', // for the tools that the benchmarks compare with this one
]

/** Logs in with the lab's key; sudo without a password. */
export const DEPLOY = 'deploy'
/** Logs in with the same key; sudo with a password. (Debian has a group of that name without a user.) */
export const OPERATOR = 'operator'

/** Always http: a host reaches only the proxy, which uses https to the mirror if the machine does. */
export function sourcesList(debian: Debian, mirror: Mirror): string {
  const release = RELEASE_NAMES[debian]
  const archive = plain(mirror.archive)
  const lines = [`deb ${archive} ${release} main`, `deb ${archive} ${release}-updates main`]
  if (mirror.security) lines.push(`deb ${plain(mirror.security)} ${release}-security main`)
  return `${lines.join('\n')}\n`
}

/**
 * Runs as root inside the new image. Nothing here is specific to a host: keys, names and passwords come with its disk.
 * All clients on this machine have one address, and newer versions of sshd block an address after failed logins, so it is exempt.
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
