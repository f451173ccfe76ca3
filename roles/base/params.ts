export interface BaseParams {
  /** Maximum size of the journal on disk, in MiB. In memory it takes half of that. @default 512 */
  readonly journal?: number
  /** Login settings of sshd; false leaves sshd as it is. @default keys only, root too */
  readonly ssh?: SshAccess | false
  /** Installs security updates at night. They restart no service and no host. @default true */
  readonly updates?: boolean
  /** Prefixes of packages that security updates skip. @default those of the roles here */
  readonly manual?: readonly string[]
}

export interface SshAccess {
  /** Allows login with a password. @default false */
  readonly passwords?: boolean
  /** Login of root. @default 'with a key' */
  readonly root?: 'never' | 'with a key'
}
