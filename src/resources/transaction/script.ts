import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { baseName, directoryOf, moveInto, REMOVED } from '../files/staging.ts'
import { directoriesOf, type FileSwap, prepareTransaction, ROLLED_BACK, type TransactionPlan } from './rollback.ts'

/**
 * The whole transaction as one script, which continues on the host if the connection is lost. If the script is interrupted too, the next
 * run rolls it back from its directory.
 */
export function transactionScript(plan: TransactionPlan): Shell {
  const { label, id, swaps, validate, probe } = plan
  return sh`
${prepareTransaction(plan)}
give_up() { say "$1"; unstage; forget; exit ${ROLLED_BACK}; }
${joinLines(swaps.map(staged))}
${validate ? validateScript(validate, swaps, id) : sh``}
${joinLines(swaps.map(saved))}
{ sync -- "$store"/old "$store"/old/* 2>/dev/null; : > "$store/armed" && sync "$store/armed" "$store"; } || give_up ${`${label}: the old files could not be saved; nothing was changed`}
probe() { (
${probe ?? sh`:`}
) </dev/null 8>&-; }
restore() {
  say "$1"
  put_back || { say 'The next run tries again to restore it.'; exit 1; }
  activate >/dev/null 2>&1 && active=yes || active=
  if [ -z "$(ls -A "$store/old")" ]; then say 'None of the files existed before; they are removed again.'; forget; exit ${ROLLED_BACK}; fi
  if [ "$active" ]; then say 'The old files are restored and active.'; forget; exit ${ROLLED_BACK}; fi
  say 'The old files are restored, but could not be activated: check the service.'
  forget; exit 1
}
${joinLines(swaps.map(swapped))}
sync -- ${directoriesOf(swaps)} 2>/dev/null
activate || restore ${`${label}: the activation failed.`}
probe || restore ${`${label}: activated, but the probe failed.`}
${joinLines(swaps.map(removed))}
forget`
}

function staged({ make, path }: FileSwap): Shell {
  return make ? sh`(${make}) || give_up ${`${path} could not be written`}` : sh``
}

/** Copies the old entry: a hard link would share its content with a program that writes in place. */
function saved({ path }: FileSwap, i: number): Shell {
  return sh`[ -L ${path} ] || [ ! -d ${path} ] || give_up ${`${path} is a directory, which a transaction cannot restore`}
if [ -e ${path} ] || [ -L ${path} ]; then cp -a -- ${path} "$store/old/"${i} || give_up ${`${path} could not be saved`}; fi`
}

function swapped({ path, at, make }: FileSwap): Shell {
  return make
    ? sh`{ ${moveInto(at, path)}; } || restore ${`${path} could not be replaced.`}`
    : sh`rm -f -- ${path} || restore ${`${path} could not be removed.`}`
}

/** Keeps removed entries, and replaced ones with a backup, in the directory for removed files. */
function removed({ path, make, backup }: FileSwap, i: number): Shell {
  if (make && !backup) return sh``
  return sh`if [ -e "$store/old/"${i} ] || [ -L "$store/old/"${i} ]; then
  to=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N) && (umask 077; mkdir -p "$to") && cp -a -- "$store/old/"${i} "$to/"${baseName(path)} || restore ${`${path} could not be copied to ${REMOVED}.`}
fi`
}

/**
 * Runs the validation command in its own mount namespace, where overlays show it the new files at their final paths. Calls `give_up` if
 * it fails.
 */
function validateScript(validate: Shell, swaps: readonly FileSwap[], id: string): Shell {
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
