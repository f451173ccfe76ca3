import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { bytesOf, type FileParams } from '../files/content.ts'
import { APT, FRESH, RECORD_UPDATE } from './apt.ts'
import { refreshMark } from './source-state.ts'

interface Source {
  readonly name: string
  readonly keys: readonly FileParams[]
  readonly signers: readonly string[]
  readonly text: string
}

/**
 * Fetches the lists of one source from a copy of its files, so that a source that does not work is never in place. The lists of other
 * sources stay as they are.
 */
export function tryRefresh({ name, keys, signers, text }: Source, lockTimeout: number): Shell {
  const staged = keys.length > 0 ? keys.map(({ path }) => fileName(path)) : []
  const write = keys.map(
    ({ content }, i) =>
      sh`printf %s ${bytesOf(content).toString('base64')} | base64 -d >"$dir/"${staged[i] ?? ''} || exit`,
  )
  const signedBy =
    staged.length > 0 ? sh`$(for key in ${staged}; do printf ' %s' "$dir/$key"; done)` : sh` ${signers.join(' ')}`
  return sh`until=$(($(date +%s) + ${lockTimeout})) lock_timeout=${lockTimeout}
${APT}
dir=$(mktemp -d /run/provision-apt.XXXXXXXX) && trap 'rm -rf "$dir"' EXIT && chmod 755 "$dir" || exit
${joinLines(write)}
{ printf %s ${text}; echo Signed-By:${signedBy}; } >"$dir/"${`${name}.sources`} && chmod 644 "$dir"/* || exit
free
rm -f ${othersAreFresh(name)}
fresh=
! ${FRESH} || fresh=1
apt -o Dir::Etc::SourceList="$dir/"${`${name}.sources`} -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update || exit
[ -z "$fresh" ] || : >${othersAreFresh(name)}`
}

/**
 * Records the refresh. If the lists of the other sources were old or outdated before, all lists still count as such: the file of the
 * source is newer than they are.
 */
export function recordRefresh(name: string): Shell {
  const mark = refreshMark(name)
  return sh`{ [ -e ${othersAreFresh(name)} ] && rm -f ${othersAreFresh(name)} && ${RECORD_UPDATE} || touch ${`/etc/apt/sources.list.d/${name}.sources`}; } && mkdir -p ${mark.slice(0, mark.lastIndexOf('/'))} && : >${mark}`
}

function othersAreFresh(name: string): string {
  return `/run/provision-apt-fresh.${name}`
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
