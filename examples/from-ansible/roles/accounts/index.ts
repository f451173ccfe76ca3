import { authorizedKeys, block, role, sudoers, user, userGroup } from 'provision-ts'

interface Account {
  readonly name: string
  readonly uid?: number
  readonly comment?: string
  readonly groups?: readonly string[]
  /** Public keys that may log in; others are removed. */
  readonly keys: readonly string[]
  /** Lines of `~/.profile`. */
  readonly profile?: string
}

interface AccountsParams {
  readonly groups: readonly { readonly name: string; readonly gid?: number }[]
  readonly users: readonly Account[]
  /** Users that must not exist. Their files are kept below /var/lib/provision/removed. */
  readonly deleted?: readonly string[]
  /** Rules of sudo by the name of their file. */
  readonly sudoers?: Readonly<Record<string, string>>
}

/** The tasks of a role for users, such as `singleplatform-eng.users` with `weareinteractive.sudo`. */
export const accounts = role('accounts', ({ groups, users, deleted = [], sudoers: rules = {} }: AccountsParams) => [
  // group: name, gid
  groups.map(({ name, gid }) => userGroup(name, { system: false, ...(gid !== undefined && { gid }) })),

  users.map(({ name, uid, comment, groups: own = [], keys, profile }) => [
    // group: name (the group of each user comes with the user)
    // user: name, uid, comment, shell, groups, append, createhome
    user(name, {
      system: false,
      groups: own,
      ...(uid !== undefined && { uid }),
      ...(comment !== undefined && { comment }),
    }),
    // authorized_key: user, key, exclusive
    authorizedKeys(name, keys, { exclusive: true }),
    // blockinfile: block, dest, owner
    profile !== undefined && block(`/home/${name}/.profile`, 'accounts', profile),
  ]),

  // user: state=absent, remove=yes
  // group: state=absent (the group of each user goes with the user)
  deleted.map((name) => user.absent(name, { home: 'remove' })),

  // copy: dest=/etc/sudoers.d/…, validate='visudo -cf %s'
  Object.entries(rules).map(([name, text]) => sudoers(name, text)),
])
