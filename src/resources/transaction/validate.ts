import { joinLines } from '../../shell/script-parts.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { directoryOf } from '../files/staging.ts'
import type { FileSwap } from './rollback.ts'

/**
 * Runs the validation command in its own mount namespace, where overlays show it the new files at their final paths. Calls `give_up` if
 * it fails.
 */
export function validateScript(validate: Shell, swaps: readonly FileSwap[], id: string): Shell {
  const fill = swaps.map(({ path, at, make }) =>
    make
      ? sh`show ${path} ${at} ${directoryOf(path)} || unchecked ${path}`
      : sh`hide ${path} ${directoryOf(path)} || unchecked ${path}`,
  )
  return sh`
overlay=${`/run/provision-${id}`}
mkdir -m 0700 "$overlay" || give_up 'The overlay for the validation could not be created.'
unchecked() { rm -rf -- "$overlay"; give_up "$1 could not be added to the overlay for the validation."; }
show() { mkdir -p "$overlay/upper$3" && cp -a -- "$2" "$overlay/upper$1"; }
hide() { mkdir -p "$overlay/upper$2" && mknod "$overlay/upper$1" c 0 0; }
${joinLines(fill)}
output=$(
set --
${joinLines(swaps.map(({ path }) => sh`for d in ${above(path)}; do [ ! -d "$d" ] || break; done; set -- "$@" "$d"`))}
printf %s ${validate.text} | unshare -m --propagation private sh -c ${OVERLAID.text} _ "$overlay" "$@" 2>&1 8>&-
)
code=$?
rm -rf -- "$overlay"
[ "$code" = 0 ] || { say "$output"; give_up 'The validation of the new files failed; the old files are unchanged.'; }`
}

/**
 * `_ OVERLAY DIRECTORY…`, with the validation command on stdin. Mounts through links, since a comma or colon in the name of a directory
 * would end the option of mount.
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

/** The parent directories of a path, nearest first. */
function above(path: string): readonly string[] {
  const directory = directoryOf(path)
  return directory === '/' ? ['/'] : [directory, ...above(directory)]
}
