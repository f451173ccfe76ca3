import { file, handler, type Shell, type Step, sh, transaction } from 'provision-ts'
import type { SshAccess } from '../params.ts'

/** Login settings of sshd. If the controller cannot log in with them within 15 s, they are rolled back. */
export function sshAccess({ passwords = false, root = 'with a key' }: SshAccess): Step {
  return transaction('ssh access', [file(PATH, settings(passwords, root))], {
    validate: valid(passwords),
    activate: handler('reload ssh', sh`systemctl reload ssh`),
    confirmed: true,
  })
}

/** Fails if sshd_config does not include the file, or sets the value before the include. */
function valid(passwords: boolean): Shell {
  return sh`sshd -t || exit 1
sshd -T | grep -qix ${`passwordauthentication ${passwords ? 'yes' : 'no'}`} && exit
echo 'The settings have no effect: /etc/ssh/sshd_config does not include sshd_config.d/*.conf, or sets PasswordAuthentication before that.'
exit 1`
}

/** sshd uses the first value of a setting, so this file comes first. */
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
