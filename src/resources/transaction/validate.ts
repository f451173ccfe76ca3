import { joinLines } from '../../shell/script-parts.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { directoryOf } from '../files/staging.ts'
import type { Swap } from './plan.ts'

/**
 * Runs the checker where it sees the candidates in their final places: in a mount namespace of its own, where each directory
 * concerned has an overlay, which nobody else sees and which goes with the checker. Says `give_up` when it refuses them.
 */
export function validateScript(validate: Shell, swaps: readonly Swap[], id: string): Shell {
  const fill = swaps.map(({ path, at, make }) =>
    make
      ? sh`show ${path} ${at} ${directoryOf(path)} || unchecked ${path}`
      : sh`hide ${path} ${directoryOf(path)} || unchecked ${path}`,
  )
  return sh`
overlay=${`/run/provision-${id}`}
mkdir -m 0700 "$overlay" || give_up 'There is no room for the new files where their checker sees them.'
unchecked() { rm -rf -- "$overlay"; give_up "$1 could not be shown to the checker."; }
show() { mkdir -p "$overlay/upper$3" && cp -a -- "$2" "$overlay/upper$1"; }
hide() { mkdir -p "$overlay/upper$2" && mknod "$overlay/upper$1" c 0 0; }
${joinLines(fill)}
said=$(
set --
${joinLines(swaps.map(({ path }) => sh`for d in ${above(path)}; do [ ! -d "$d" ] || break; done; set -- "$@" "$d"`))}
printf %s ${validate.text} | unshare -m --propagation private sh -c ${OVERLAID.text} _ "$overlay" "$@" 2>&1 8>&-
)
code=$?
rm -rf -- "$overlay"
[ "$code" = 0 ] || { say "$said"; give_up 'The new files were refused by their checker, and the old ones are untouched.'; }`
}

/**
 * `_ OVERLAY DIRECTORY…`, the checker on stdin. Directories of a host may be called anything; links without a comma or a colon in
 * their names lead to them, since these would end an option of mount.
 */
const OVERLAID = sh`
o=$1
shift
find "$o/upper" -type d -exec sh -c '
  o=$1
  shift
  for d; do
    live=/\${d#"$o/upper"}
    if [ -d "$live" ]; then chmod --reference="$live" "$d"; chown --reference="$live" "$d"; else chmod 755 "$d"; fi
  done' _ "$o" {} +
n=0
for d; do
  for other; do
    [ "$d" = "$other" ] || case "$d/" in "\${other%/}"/*) continue 2 ;; esac
  done
  [ ! -d "$o/seen$d" ] || continue
  mkdir -p "$o/seen$d"
  n=$((n + 1))
  mkdir -p "$o/$n/work"
  ln -s "$d" "$o/$n/lower"
  ln -s "$o/upper$d" "$o/$n/upper"
  mount -t overlay overlay -o "lowerdir=$o/$n/lower,upperdir=$o/$n/upper,workdir=$o/$n/work" "$d" || exit 1
done
eval "$(cat)" </dev/null`

/** The directories above a path, the nearest first. */
function above(path: string): readonly string[] {
  const directory = directoryOf(path)
  return directory === '/' ? ['/'] : [directory, ...above(directory)]
}
