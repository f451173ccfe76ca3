import { file, handler, type Step, sh, transaction } from 'provision-ts'

export interface SshAccess {
  /** Whether a password is enough. @default false */
  readonly passwords?: boolean
  /** Whether root may log in. @default 'with a key' */
  readonly root?: 'never' | 'with a key'
}

/**
 * Settings of sshd that count when they are read and when the machine that runs this gets in by them; otherwise the old ones
 * are in force again after 15 s.
 */
export function sshAccess({ passwords = false, root = 'with a key' }: SshAccess): Step {
  return transaction('ssh access', [file(PATH, settings(passwords, root))], {
    validate: sh`sshd -t`,
    activate: handler('reload ssh', sh`systemctl reload ssh`),
    reachable: true,
  })
}

/** The first word counts, so it comes before the files of others. */
const PATH = '/etc/ssh/sshd_config.d/00-provision.conf'

function settings(passwords: boolean, root: 'never' | 'with a key'): string {
  return `# Made by provision: changes are lost.
PasswordAuthentication ${passwords ? 'yes' : 'no'}
KbdInteractiveAuthentication ${passwords ? 'yes' : 'no'}
PermitEmptyPasswords no
PermitRootLogin ${root === 'never' ? 'no' : 'prohibit-password'}
X11Forwarding no
AllowAgentForwarding no
LoginGraceTime 30
ClientAliveInterval 60
ClientAliveCountMax 3
`
}
