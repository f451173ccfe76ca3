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

export interface SshAccess {
  /** Whether a password is enough. @default false */
  readonly passwords?: boolean
  /** Whether root may log in. @default 'with a key' */
  readonly root?: 'never' | 'with a key'
}
