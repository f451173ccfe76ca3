import { file, pkg, restarted, role, service, sysctl } from 'provision-ts'
import { KERNEL, NETWORK } from './lib/kernel.ts'
import type { BaseParams } from './params.ts'
import { securityUpdates } from './resources/security-updates.ts'
import { sshAccess } from './resources/ssh-access.ts'

export type { BaseParams, SshAccess } from './params.ts'

/** The common part of all hosts. */
export const base = role(
  'base',
  ({ journal = 512, ssh = {}, updates = true, manual = OURS }: BaseParams, { facts }) => [
    pkg('ca-certificates', 'curl'),
    file('/etc/systemd/journald.conf.d/provision.conf', journald(journal), {
      notify: restarted('systemd-journald'),
    }),
    sysctl('provision-network', NETWORK),
    !facts.container && [
      sysctl('provision-kernel', KERNEL),
      // Its package removes other NTP services.
      pkg('chrony'),
      service('chrony'),
    ],
    ssh && sshAccess(ssh),
    updates && securityUpdates(manual),
  ],
  { os: ['debian 12', 'debian 13'] },
)

/** Packages of the roles. A run updates them, one drained host at a time. */
const OURS = [
  'haproxy',
  'keepalived',
  'nginx',
  'libnginx',
  'nodejs',
  'libnode',
  'postgresql',
  'pgbackrest',
  'patroni',
  'etcd',
]

/** Without a limit the journal takes 10 % of the disk, up to 4 GB. */
function journald(journal: number): string {
  return `[Journal]\nSystemMaxUse=${journal}M\nRuntimeMaxUse=${Math.ceil(journal / 2)}M\n`
}
