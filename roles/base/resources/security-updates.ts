import { command, file, pkg, type Steps, service, sh } from 'provision-ts'

/** Installs security updates at night. @param manual prefixes of packages to skip */
export function securityUpdates(manual: readonly string[]): Steps {
  return [
    pkg('unattended-upgrades'),
    file('/etc/apt/apt.conf.d/60provision', settings(manual)),
    // needrestart would restart services that use an updated library.
    file('/etc/needrestart/conf.d/provision.conf', "$nrconf{restart} = 'l';\n"),
    // Lets a running update finish before a shutdown.
    service('unattended-upgrades'),
    // A masked timer stays masked.
    command(
      'timers of apt',
      sh`for timer in ${TIMERS}; do ${isEnabled} || systemctl enable -q --now "$timer" || exit 1; done`,
      {
        unless: sh`for timer in ${TIMERS}; do ${isEnabled} || exit 1; done`,
      },
    ),
  ]
}

const TIMERS = ['apt-daily.timer', 'apt-daily-upgrade.timer']

const isEnabled = sh`case $(systemctl is-enabled "$timer") in masked*) ;; enabled) systemctl is-active -q "$timer" ;; *) false ;; esac`

function settings(manual: readonly string[]): string {
  return `// Made by provision: changes are lost.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
#clear Unattended-Upgrade::Origins-Pattern;
Unattended-Upgrade::Origins-Pattern { "origin=Debian,codename=\${distro_codename}-security,label=Debian-Security"; };
Unattended-Upgrade::Package-Blacklist {
${manual.map((name) => `  "${name}";\n`).join('')}};
Unattended-Upgrade::Automatic-Reboot "false";
Unattended-Upgrade::MinimalSteps "true";
`
}
