import { batchRead, read } from '../../model/resource/read.ts'
import { sh } from '../../shell/sh.ts'
import { ENVIRONMENTS } from './login.ts'

export interface KeysFile {
  readonly uid: string
  readonly gid: string
  readonly home: string
  /** The first path of `AuthorizedKeysFile` in sshd's configuration, for this user; `none` if sshd reads no file. */
  readonly path: string
  readonly lines: readonly string[]
  /** Undefined for a missing file. */
  readonly file: FoundEntry | undefined
  /** The directory of the file. */
  readonly directory: FoundEntry | undefined
}

interface FoundEntry {
  /** `f`, `d`, `l`. */
  readonly type: string
  readonly uid: string
  readonly mode: string
}

/** The authorized keys of users; undefined for a missing user. One `sshd -T`, `getent` and `find` for all users; sshd may be missing. */
export const keysOf = batchRead<string, KeysFile | undefined>({
  name: 'authorized keys',
  dependsOn: (user) => [`/etc/passwd/${user}`, '/etc/ssh', `/home/${user}`],
  shared: true,
  script: (users) => sh`
pattern=$(sshd -T 2>/dev/null | while read -r key first rest; do case $key in authorizedkeysfile) printf %s "$first" ;; esac; done)
: "\${pattern:=.ssh/authorized_keys}"
getent passwd -- ${users} | {
  set --
  while IFS=: read -r name password uid gid comment home shell; do
    path=$pattern
    while :; do
      case $path in
        *%u*) path=\${path%%%u*}$name\${path#*%u} ;;
        *%h*) path=\${path%%%h*}$home\${path#*%h} ;;
        *) break ;;
      esac
    done
    case $path in /*|none) ;; *) path=$home/$path ;; esac
    printf 'user:%s:%s:%s:%s:%s\n' "$name" "$uid" "$gid" "$home" "$path"
    [ ! -f "$path" ] || while IFS= read -r line || [ "$line" ]; do printf 'line:%s\n' "$line"; done <"$path"
    set -- "$@" "$path" "\${path%/*}"
  done
  [ $# = 0 ] || find "$@" -maxdepth 0 -printf 'entry:%y:%U:%m:%p\n' 2>/dev/null
  :
}`,
  parse: ({ stdout }, users) => {
    const entries = new Map<string, FoundEntry>()
    const found = new Map<string, Omit<KeysFile, 'file' | 'directory'> & { readonly lines: string[] }>()
    let lines: string[] = []
    for (const line of stdout.split('\n')) {
      const [kind, a = '', b = '', c = '', ...rest] = line.split(':')
      if (kind === 'user') {
        lines = []
        const [home = '', ...path] = rest
        found.set(a, { uid: b, gid: c, home, path: path.join(':'), lines })
      } else if (kind === 'line') lines.push(line.slice('line:'.length))
      else if (kind === 'entry') entries.set(rest.join(':'), { type: a, uid: b, mode: c })
    }
    return users.map((user) => {
      const own = found.get(user)
      const above = own?.path.slice(0, own.path.lastIndexOf('/')) ?? ''
      return own && { ...own, file: entries.get(own.path), directory: entries.get(above) }
    })
  },
  fakeValue: ({ users, paths }, user) => {
    const found = users.get(user)
    if (!found) return undefined
    const path = `${found.home}/.ssh/authorized_keys`
    const entry = (at: string, type: string) => {
      const one = paths.get(at)
      return one && { type, uid: one.owner, mode: one.mode.replace(/^0/, '') }
    }
    const lines = (paths.get(path)?.content?.toString() ?? '').split('\n').filter((line) => line !== '')
    const directory = entry(`${found.home}/.ssh`, 'd')
    return {
      uid: found.uid ?? user,
      gid: found.group,
      home: found.home,
      path,
      lines,
      file: entry(path, 'f'),
      directory,
    }
  },
})

/** The key of this connection, as sshd logged it. */
export interface LoginKey {
  readonly user: string
  readonly fingerprint: string
}

/** The key that this connection logged in with; undefined without ssh, for a login without a key, and if the journal does not have it. */
export const loginKey = read(
  sh`${ENVIRONMENTS}
set -- $(grep -saozh '^SSH_CONNECTION=[^ ]* [^ ]*' $files | tr '\0' '\n')
[ $# -lt 2 ] || journalctl -q --no-pager -o cat -r -n 1 -t sshd -t sshd-session -g "^Accepted publickey for .* from \${1#*=} port $2 "`,
  ({ stdout }): LoginKey | undefined => {
    const [, user, fingerprint] = /^Accepted publickey for (\S+) from .*(SHA256:\S+)/m.exec(stdout) ?? []
    return user === undefined || fingerprint === undefined ? undefined : { user, fingerprint }
  },
  { shared: true, dependsOn: [], fakeValue: () => undefined },
)
