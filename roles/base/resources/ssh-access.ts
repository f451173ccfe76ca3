import { file, handler, type Shell, type Step, sh, transaction } from 'provision-ts'
import type { SshAccess } from '../params.ts'

/**
 * Settings of sshd that count when they are read and when the machine that runs this gets in by them; otherwise the old ones
 * are in force again after 15 s.
 */
export function sshAccess({ passwords = false, root = 'with a key' }: SshAccess): Step {
  return transaction('ssh access', [file(PATH, settings(passwords, root))], {
    validate: valid(passwords),
    activate: handler('reload ssh', sh`systemctl reload ssh`),
    confirmed: true,
  })
}

/** Without its Include, or with a setting before it, sshd_config keeps the file from having an effect. */
function valid(passwords: boolean): Shell {
  return sh`sshd -t || exit 1
sshd -T | grep -qix ${`passwordauthentication ${passwords ? 'yes' : 'no'}`} && exit
echo 'The settings have no effect: /etc/ssh/sshd_config does not include sshd_config.d/*.conf, or sets PasswordAuthentication before that.'
exit 1`
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
