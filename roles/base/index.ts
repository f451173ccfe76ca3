import { file, pkg, restarted, role, service, sysctl } from 'provision-ts'
import { KERNEL, NETWORK } from './kernel.ts'
import { type SshAccess, sshAccess } from './ssh.ts'
import { securityUpdates } from './updates.ts'

export interface BaseParams {
  /** MiB that the journal may take on disk, and half of that in memory. @default 512 */
  readonly journal?: number
  /** Who may log in by what; false leaves sshd as it is. @default keys only, root too */
  readonly ssh?: SshAccess | false
  /** Whether security updates install themselves at night. They restart no service and no host. @default true */
  readonly updates?: boolean
  /** Packages, as beginnings of their names, that are left to a run of yours. @default those of the roles here */
  readonly manual?: readonly string[]
}

/** What every host of the system has, whatever it serves. */
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
      // Another service of that sort makes room for it by itself.
      pkg('chrony'),
      service('chrony'),
    ],
    ssh && sshAccess(ssh),
    updates && securityUpdates(manual),
  ],
  { debian: [12, 13] },
)

/** They are updated by a run, which takes one host after another out of service. */
const OURS = ['haproxy', 'keepalived', 'nginx', 'libnginx', 'nodejs', 'libnode', 'postgresql', 'pgbackrest']

/** Without a limit the journal takes a tenth of the disk, up to 4 GB. */
function journald(journal: number): string {
  return `[Journal]\nSystemMaxUse=${journal}M\nRuntimeMaxUse=${Math.ceil(journal / 2)}M\n`
}
