import { sha256 } from '../../src/resources/files/content.ts'
import type { Account } from '../../src/resources/system/account-reads.ts'
import { authorizedKeys } from '../../src/resources/system/authorized-keys.ts'
import { user } from '../../src/resources/system/user.ts'
import { userGroup } from '../../src/resources/system/user-group.ts'
import type { UserState } from '../../src/resources/system/user-state.ts'
import { Secret } from '../../src/shell/secret.ts'
import type { Row } from './kind-row.ts'

const account: Account = {
  ...{ name: 'notes', uid: '100', gid: '100', comment: '' },
  ...{ home: '/nonexistent', shell: '/usr/sbin/nologin' },
}
const regular: Account = { ...account, uid: '1000', gid: '1000', home: '/home/notes', shell: '/bin/bash' }

const state = (of: Partial<UserState>): UserState => ({
  ...{ account, primary: undefined, missing: [], memberships: [] },
  ...{ holder: undefined, shadow: undefined, homeEntry: undefined, login: undefined },
  ...of,
})
const none = state({ account: undefined })

export const hash = `$6$salt$${'x'.repeat(86)}`
export const secretHash = new Secret(() => hash)
const shadow = { password: sha256(hash), locked: false, expires: undefined }
const added = (args: string, name: string) =>
  `own=--user-group\n! getent group ${name} >/dev/null || own='--gid=${name}'\nuseradd "$own" ${args} ${name}`

/** Public keys that no one has the private half of. */
export const [KEY, OTHER_KEY] = [
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJHuQ2BI8bbMJDWtrHyCFoh6SbKDqTi1Ht2BXOZ5sN1e',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJHuQ2BI8bbMJDWtrHyCFoh6SbKDqTi1Ht2BXOZ5sN1f',
] as const
export const [PRINT, OTHER_PRINT] = [
  'SHA256:QCTvmF9I54ua6l0wG4zAhMcG0PKzosaXyIG0wQL1lzo',
  'SHA256:Dk8wVb4kTWX5U9q8o4xEhg/8IB0x46X3/gX4j2+buBg',
] as const
const found = {
  ...{ uid: '1000', gid: '1000', home: '/home/ana', path: '/home/ana/.ssh/authorized_keys' },
  ...{ lines: [] as readonly string[], file: { type: 'f', uid: '1000', mode: '600' } },
  directory: { type: 'd', uid: '1000', mode: '700' },
}
const keys = (lines: readonly string[], more: object = {}) => ({ found: { ...found, lines }, ...more })

/** Rows of users, groups and their keys. */
export const ACCOUNT_ROWS: Readonly<Record<string, Row>> = {
  'a user that is in the declared state': { step: user('notes', { groups: ['adm'] }), have: state({}) },
  'no user': {
    step: user('notes', { home: '/srv/notes' }),
    have: none,
    differs: 'create home /srv/notes, shell /usr/sbin/nologin',
    runs: [added('--system --no-create-home --home-dir /srv/notes --shell /usr/sbin/nologin', 'notes')],
  },
  'no user for people': {
    step: user('ana', { system: false, uid: 1500, comment: 'Ana', expires: '2027-01-31', groups: ['adm'] }),
    have: { ...none, missing: ['adm'] },
    differs:
      'create uid 1500, comment Ana, home /home/ana, shell /bin/bash, home directory /home/ana, group adm, expires 2027-01-31',
    runs: [
      added(
        '--create-home --home-dir /home/ana --shell /bin/bash --uid 1500 --comment Ana --expiredate 2027-01-31',
        'ana',
      ),
      'usermod -aG adm ana',
    ],
  },
  'a user with another shell, who lacks one group of two': {
    step: user('notes', { groups: ['adm', 'ssl-cert'] }),
    have: state({ account: { ...account, shell: '/bin/sh' }, missing: ['ssl-cert'] }),
    differs: 'change shell /bin/sh → /usr/sbin/nologin, group ssl-cert',
    runs: ['usermod --shell /usr/sbin/nologin notes', 'usermod -aG ssl-cert notes'],
  },
  'a user with a group that another step makes': {
    step: user('notes', { group: 'web' }),
    have: none,
    differs: 'create home /nonexistent, shell /usr/sbin/nologin, primary group web',
    runs: ['useradd --system --no-create-home --gid web --home-dir /nonexistent --shell /usr/sbin/nologin notes'],
  },
  'a user of another group': {
    step: user('notes', { group: 'web' }),
    have: state({ primary: { name: 'deploy', gid: '33', members: [] } }),
    differs: 'change primary group 100 → web',
    runs: ['usermod --gid web notes'],
  },
  'a user of the group that is wanted': {
    step: user('notes', { group: 'users' }),
    have: state({ primary: { name: 'users', gid: '100', members: [] } }),
  },
  'a user in other groups, which stay': {
    step: user('notes', { groups: ['adm'] }),
    have: state({ memberships: ['adm', 'docker'] }),
  },
  'a user in other groups, with exclusive ones': {
    step: user('notes', { groups: ['adm'], exclusive: true }),
    have: state({ memberships: ['adm', 'docker'] }),
    differs: 'change group docker → absent',
    runs: ['usermod -G adm notes'],
  },
  'a user with the password that is wanted': {
    step: user('notes', { password: secretHash }),
    have: state({ shadow }),
  },
  'a user with another password, which is locked': {
    step: user('notes', { password: secretHash }),
    have: state({ shadow: { ...shadow, password: sha256('other'), locked: true } }),
    differs: 'change password a secret',
    runs: ['chpasswd -e'],
  },
  'a user who has changed the initial password': {
    step: user('notes', { password: { initial: secretHash } }),
    have: state({ shadow: { ...shadow, password: sha256('other') } }),
  },
  'a user who is to be locked': {
    step: user('notes', { locked: true, expires: '1970-01-02' }),
    have: state({ shadow }),
    differs: 'change locked false → true, expires never → 1970-01-02',
    runs: ['usermod --expiredate 1970-01-02 notes', 'usermod --lock notes'],
  },
  'a password that is not a hash': {
    step: user('notes', { password: new Secret(() => 'hunter2') }),
    have: state({ shadow }),
    refuses: 'The password of notes is not a hash',
  },
  'a regular user without a home directory': {
    step: user('notes', { system: false }),
    have: state({ account: regular }),
    differs: 'change home directory /home/notes',
    runs: ['[ -e /home/notes ] || mkhomedir_helper notes'],
  },
  'no user to remove': { step: user.absent('notes'), have: [undefined, undefined] },
  'a user to remove': {
    step: user.absent('notes'),
    have: [regular, { user: 'deploy', address: '10.0.0.1' }],
    differs: 'remove uid 1000 → absent',
    runs: ['userdel notes'],
  },
  'a user to remove with the home directory': {
    step: user.absent('notes', { home: 'remove' }),
    have: [regular, undefined],
    differs: 'remove uid 1000 → absent, home directory /home/notes → moved to /var/lib/provision/removed',
  },
  'the user of this connection, who is to be removed': {
    step: user.absent('notes'),
    have: [regular, { user: 'notes', address: '10.0.0.1' }],
    refuses: 'This connection logs in as notes, so notes is not removed',
  },
  'a group of users': {
    step: userGroup('deploy'),
    have: [{ name: 'deploy', gid: '33', members: [] }, undefined],
  },
  'no group of users': {
    step: userGroup('deploy'),
    have: [undefined, undefined],
    differs: 'create',
    runs: ['groupadd --system deploy'],
  },
  'no group of people': {
    step: userGroup('people', { system: false, gid: 2000 }),
    have: [undefined, undefined],
    differs: 'create gid 2000',
    runs: ['groupadd --gid 2000 people'],
  },
  'a group with another gid': {
    step: userGroup('people', { gid: 2000 }),
    have: [{ name: 'people', gid: '33', members: [] }, undefined],
    differs: 'change gid 33 → 2000',
    runs: ['groupmod --gid 2000 people'],
  },
  'no group to remove': { step: userGroup.absent('people'), have: undefined },
  'a group to remove': {
    step: userGroup.absent('people'),
    have: { name: 'people', gid: '33', members: [] },
    differs: 'remove gid 33 → absent',
    runs: ['groupdel people'],
  },
  'a key that is there with another comment': {
    step: authorizedKeys('ana', [`${KEY} ana@laptop`]),
    have: keys(['# by hand', `${KEY} other comment`]),
  },
  'a key that is missing, and another that stays': {
    step: authorizedKeys('ana', [KEY]),
    have: keys([OTHER_KEY]),
    differs: `change key ssh-ed25519 ${PRINT}`,
  },
  'an exclusive list of keys': {
    step: authorizedKeys('ana', [KEY], { exclusive: true }),
    have: keys([KEY, `${OTHER_KEY} old`]),
    differs: `change key ssh-ed25519 ${OTHER_PRINT} old → absent`,
  },
  'a key with other options': {
    step: authorizedKeys('ana', [`restrict,command="run \\"it\\"" ${KEY}`]),
    have: keys([KEY]),
    differs: `change key ssh-ed25519 ${PRINT} → restrict,command="run \\"it\\"" ssh-ed25519 ${PRINT}`,
  },
  'a key that is there twice, and one that must go': {
    step: authorizedKeys('ana', [KEY], { absent: [OTHER_KEY] }),
    have: keys([KEY, OTHER_KEY, KEY]),
    differs: `change key ssh-ed25519 ${OTHER_PRINT} → absent, key ssh-ed25519 ${PRINT} → absent, as it is there twice`,
  },
  'a file of keys that others may write': {
    step: authorizedKeys('ana', [KEY]),
    have: { found: { ...found, lines: [KEY], file: { type: 'f', uid: '0', mode: '664' } } },
    differs: 'change owner 0 → 1000, mode 664 → 600',
  },
  'keys of a missing user': {
    step: authorizedKeys('ana', [KEY]),
    have: {},
    differs: `create key ssh-ed25519 ${PRINT}`,
  },
  'keys that sshd does not read': {
    step: authorizedKeys('ana', [KEY]),
    have: { found: { ...found, path: 'none' } },
    refuses: 'sshd reads no authorized keys: AuthorizedKeysFile is none',
  },
  'a list without the key of this connection': {
    step: authorizedKeys('ana', [OTHER_KEY], { exclusive: true }),
    have: keys([KEY], { session: { user: 'ana', address: '' }, own: { user: 'ana', fingerprint: PRINT } }),
    refuses: 'The list has no key for this connection, which logs in as ana',
  },
  'a list without a key of another connection': {
    step: authorizedKeys('ana', [OTHER_KEY], { exclusive: true }),
    have: keys([KEY, OTHER_KEY], {
      session: { user: 'deploy', address: '' },
      own: { user: 'deploy', fingerprint: PRINT },
    }),
    differs: `change key ssh-ed25519 ${PRINT} → absent`,
  },
}
