import { batchRead } from '../../model/resource/read.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'

/** The right of the user of this connection to become root by sudo. */
export type SudoRight = 'none' | 'with a password' | 'without a password'

/** The right now, and with a changed file of rules. */
export interface SudoAccess {
  readonly user: string
  readonly now: SudoRight
  readonly after: SudoRight
}

/** A file in `/etc/sudoers.d` with its wanted content; undefined if it must not exist. */
export interface SudoersFile {
  readonly name: string
  readonly content: string | undefined
}

/**
 * Asks sudo for the right of the user that this connection became root from, with the rules of the host and with those after the change.
 * The changed rules exist only in a mount namespace of the question. Undefined if the file is as wanted, without sudo, and for rules that
 * visudo rejects.
 */
export const sudoAccess = batchRead<SudoersFile, SudoAccess | undefined>({
  name: 'rights of sudo',
  dependsOn: ({ name }) => [`/etc/sudoers.d/${name}`, '/etc/sudoers.d', '/etc/sudoers', '/etc/passwd', '/etc/group'],
  shared: true,
  script: (files) => joinLines(files.map(question)),
  parse: ({ stdout }, files) => {
    const answers = stdout.split('answer:\n').slice(1)
    return files.map((_file, i) => {
      const [, user, now = '', after = ''] = /^user:(\S+)\n(.*?)after:\n(.*)$/s.exec(answers[i] ?? '') ?? []
      return user === undefined ? undefined : { user, now: rightIn(now), after: rightIn(after) }
    })
  },
  fakeValue: () => undefined,
})

function question({ name, content }: SudoersFile): Shell {
  const path = `/etc/sudoers.d/${name}`
  const same =
    content === undefined
      ? sh`[ ! -e ${path} ]`
      : sh`text=; [ ! -r ${path} ] || while IFS= read -r line || [ "$line" ]; do text="$text$line
"; done <${path}
[ "$text" = ${content} ]`
  return sh`echo answer:
${same} || [ ! "$SUDO_USER" ] || [ "$SUDO_USER" = root ] || [ ! -d /etc/sudoers.d ] || ! command -v visudo >/dev/null || {
  printf 'user:%s\n' "$SUDO_USER"
  LC_ALL=C sudo -n -ll -U "$SUDO_USER" 2>/dev/null
  unshare -m --propagation private sh -c ${PREVIEW.text} _ ${name} ${content === undefined ? [] : content} 2>/dev/null
}`
}

/** `_ NAME [CONTENT]`: the directory of the rules is a copy on a mounted /tmp, which ends with the namespace. */
const PREVIEW = sh`mount -t tmpfs -o mode=0755 tmpfs /tmp && cp -a /etc/sudoers.d/. /tmp/ && rm -f "/tmp/$1" || exit
[ $# = 1 ] || { printf %s "$2" >"/tmp/$1" && chmod 0440 "/tmp/$1"; } || exit
mount --bind /tmp /etc/sudoers.d && visudo -c >/dev/null || exit
echo after:
LC_ALL=C sudo -n -ll -U "$SUDO_USER"`

/** The shells that connections become root with. */
const SHELL = /^(?:ALL|\/(?:usr\/)?bin\/sh)$/

/** Evaluates the output of `sudo -ll`. As in sudo, the last entry that fits decides. */
function rightIn(output: string): SudoRight {
  const [defaults = '', ...entries] = output.split(/^Sudoers entry:.*$/m)
  const rights = entries.map((entry): SudoRight | undefined => {
    const [, runAs = 'root'] = /^\s*RunAsUsers: (.*)$/m.exec(entry) ?? []
    const users = runAs.split(', ')
    if (users.some((one) => /^!(?:root|#0|ALL)$/.test(one)) || !users.some((one) => /^(?:root|#0|ALL)$/.test(one)))
      return undefined
    const commands = (/^\s*Commands:\n(.*)$/ms.exec(entry)?.[1] ?? '').split('\n').map((line) => line.trim())
    const last = commands.findLast((one) => SHELL.test(one.replace(/^!/, '')))
    if (last === undefined) return undefined
    if (last.startsWith('!')) return 'none'
    const options = (/^\s*Options: (.*)$/m.exec(entry)?.[1] ?? '').split(', ')
    if (options.includes('!authenticate')) return 'without a password'
    return !options.includes('authenticate') && /(?:^|[\s,])!authenticate\b/.test(defaults)
      ? 'without a password'
      : 'with a password'
  })
  return rights.findLast((one) => one !== undefined) ?? 'none'
}
