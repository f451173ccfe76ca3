import { authorizedKeys, Secret, sudoers, user, userGroup } from '../../../src/index.ts'
import { hash, KEY, OTHER_KEY } from '../../resources/account-rows.ts'
import type { Cases } from './case.ts'

const [first, second] = ['a', 'b'].map((letter) => hash.replaceAll('x', letter))
const secretOf = (text = '') => new Secret(() => text)
const ACCOUNT =
  "getent passwd ana | cut -d: -f3,5-; getent shadow ana | cut -d: -f2,8 | sed 's/\\([ab]\\)[ab]\\{79,\\}/\\1…/'"

export const ACCOUNTS: Cases = {
  'a group with a gid, which another may not have': {
    steps: userGroup('staff2', { gid: 2500 }),
    plan: ['create group staff2'],
    look: 'getent group staff2',
    shows: 'staff2:x:2500:',
  },
  'a gid that is taken': {
    steps: userGroup('staff3', { gid: 2500 }),
    fails: 'The gid 2500 belongs to the group staff2',
  },
  'a regular user, whose home is made from /etc/skel': {
    steps: user('ana', {
      ...{ system: false, uid: 1500, comment: 'Ana Souza', groups: ['staff2'], expires: '2030-01-31' },
      password: secretOf(first),
    }),
    plan: ['create user ana'],
    look: `${ACCOUNT}; id -Gn ana; stat -c %U /home/ana /home/ana/.profile`,
    shows: '1500:Ana Souza:/home/ana:/bin/bash\n$6$salt$a…:21945\nana staff2\nana\nana',
  },
  'an initial password, which does not replace another, and a lock': {
    steps: user('ana', { system: false, password: { initial: secretOf(second) }, locked: true, expires: 'never' }),
    plan: ['change user ana'],
    look: ACCOUNT,
    shows: '1500:Ana Souza:/home/ana:/bin/bash\n!$6$salt$a…:',
  },
  'another password, which keeps the lock': {
    steps: user('ana', { system: false, password: secretOf(second) }),
    look: ACCOUNT,
    shows: '1500:Ana Souza:/home/ana:/bin/bash\n!$6$salt$b…:',
  },
  'an unlocked password': {
    steps: user('ana', { system: false, locked: false, comment: '' }),
    look: ACCOUNT,
    shows: '1500::/home/ana:/bin/bash\n$6$salt$b…:',
  },
  'groups, added to the others': {
    steps: user('ana', { system: false, groups: ['adm'] }),
    look: 'id -Gn ana',
    shows: 'ana adm staff2',
  },
  'exclusive groups': {
    steps: user('ana', { system: false, groups: ['adm'], exclusive: true }),
    look: 'id -Gn ana',
    shows: 'ana adm',
  },
  'keys, and the directory that they need': {
    steps: authorizedKeys('ana', [`${KEY} ana@laptop`]),
    plan: ['create authorized keys ana'],
    look: 'stat -c "%U:%G %a" /home/ana/.ssh /home/ana/.ssh/authorized_keys; cat /home/ana/.ssh/authorized_keys',
    shows: `ana:ana 700\nana:ana 600\n${KEY} ana@laptop`,
  },
  'an exclusive list of keys, in a file that others may write': {
    prepare: 'chmod 666 /home/ana/.ssh/authorized_keys; chmod 777 /home/ana/.ssh',
    steps: authorizedKeys('ana', [`restrict ${OTHER_KEY}`], { exclusive: true }),
    plan: ['change authorized keys ana'],
    look: 'stat -c "%U:%G %a" /home/ana/.ssh /home/ana/.ssh/authorized_keys; cat /home/ana/.ssh/authorized_keys',
    shows: `ana:ana 755\nana:ana 600\nrestrict ${OTHER_KEY}`,
  },
  'a directory of keys that is a link to one of root': {
    prepare: 'rm -rf /home/ana/.ssh; mkdir -p /root/.ssh; ln -s /root/.ssh /home/ana/.ssh',
    steps: authorizedKeys('ana', [KEY]),
    fails: 'authorized keys ana failed: exit status 1',
    look: 'rm /home/ana/.ssh; ls -A /root/.ssh',
    shows: '',
  },
  'a list without the key of this connection': {
    steps: authorizedKeys('deploy', [KEY], { exclusive: true }),
    fails: 'authorized keys deploy: The list has no key for this connection, which logs in as deploy',
    look: 'grep -c ssh- /home/deploy/.ssh/authorized_keys',
    shows: '1',
  },
  'a list that shuts this connection out, if the journal does not know its key': {
    prepare: 'journalctl --rotate; journalctl --vacuum-time=1s; rm -rf /run/log/journal/*/* /var/log/journal/*/*',
    steps: authorizedKeys('deploy', [KEY], { exclusive: true, timeout: '5m' }),
    fails: 'authorized keys deploy failed',
    look: 'grep -c ssh- /home/deploy/.ssh/authorized_keys; ls -A /home/deploy/.ssh',
    shows: '1\nauthorized_keys',
  },
  'a home that moves, and another uid': {
    steps: user('ana', { system: false, home: '/home/people/ana', uid: 1600 }),
    look: 'getent passwd ana | cut -d: -f3,6; stat -c "%U %u" /home/people/ana/.profile; ls -d /home/ana',
    shows: '1600:/home/people/ana\nana 1600',
  },
  'a home of a system account, which does not take the old one along': {
    prepare: 'useradd --system --home-dir /var/lib web2',
    steps: user('web2', { home: '/srv/web2', createHome: true }),
    look: 'getent passwd web2 | cut -d: -f6; stat -c %U /srv/web2 /var/lib',
    shows: '/srv/web2\nweb2\nroot',
  },
  'no user, and the home directory moved away': {
    steps: user.absent('ana', { home: 'remove' }),
    plan: ['remove user ana'],
    look: 'id ana 2>&1; ls /home/people; ls -d /var/lib/provision/removed/*/ana | wc -l',
    shows: 'id: ‘ana’: no such user\n1',
  },
  'the user of this connection, who is to be removed': {
    steps: user.absent('deploy'),
    fails: 'user deploy: This connection logs in as deploy, so deploy is not removed',
  },
  'rules after which the user of this connection needs a password for sudo': {
    steps: sudoers('zz-deploy', 'deploy ALL=(ALL) ALL'),
    fails: 'sudoers zz-deploy: deploy, the user of this connection, could become root only with a password',
    look: 'ls /etc/sudoers.d/zz-deploy; grep -c " /tmp .*tmpfs tmpfs rw.*mode=755" /proc/mounts; sudo -u deploy sudo -n id -u',
    shows: '0\n0',
  },
  'no rules for the user of this connection': {
    steps: sudoers.absent('deploy'),
    fails: 'sudoers deploy: deploy, the user of this connection, could no longer become root by sudo',
    look: 'sudo -u deploy sudo -n id -u',
    shows: '0',
  },
  'a rule that denies shells to the user of this connection': {
    steps: sudoers('deploy', 'deploy ALL=(ALL:ALL) NOPASSWD: ALL, !/bin/sh'),
    fails: 'deploy, the user of this connection, could no longer become root by sudo',
  },
  'rules for the user of this connection that do not include root': {
    steps: sudoers('deploy', 'deploy ALL=(www-data) NOPASSWD: ALL'),
    fails: 'deploy, the user of this connection, could no longer become root by sudo',
  },
  'rules of sudo that visudo rejects': {
    steps: sudoers('deploy', 'deploy ALL=(ALL NOPASSWD: ALL'),
    fails: 'sudoers deploy failed',
    look: 'sudo -u deploy sudo -n id -u',
    shows: '0',
  },
  'no rules for the user of this connection, after others that give the same right': {
    steps: [sudoers('access', 'Defaults:deploy !authenticate\ndeploy ALL=(root) ALL'), sudoers.absent('deploy')],
    plan: ['change sudoers access', 'change sudoers deploy'],
    look: 'sudo -u deploy sudo -n id -u; ls /etc/sudoers.d',
    shows: '0\nREADME\naccess',
  },
  'no group': {
    steps: userGroup.absent('staff2'),
    plan: ['remove group staff2'],
    look: 'getent group staff2',
    shows: '',
  },
  'a group that a user needs': {
    steps: userGroup.absent('web2'),
    fails: 'group web2 failed: it is the primary group of web2',
  },
}
