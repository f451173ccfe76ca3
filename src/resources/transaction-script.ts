import { type Shell, sh } from '../shell/sh.ts'

export interface TransactionPlan {
  readonly label: string
  readonly id: string
  readonly swaps: readonly Swap[]
  readonly validate: Shell | undefined
  readonly activate: Shell | undefined
  readonly probe: Shell | undefined
}

/** The exit status of a transaction that failed and left all as it was, in force too. */
export const UNDONE = 65

interface Swap {
  readonly path: string
  /** The staged new thing, in the same directory. */
  readonly at: string
  /** Makes it there; undefined when nothing is to be at the path. */
  readonly make: Shell | undefined
}

/**
 * The whole transaction as one script on the host: what it has begun it ends there, even when the connection is lost.
 *
 * The candidates are shown to the checker in their final places by a mount namespace of its own: each directory concerned gets
 * an overlay, which nobody else sees and which goes with the checker.
 */
export function transactionScript({ label, id, swaps, validate, activate, probe }: TransactionPlan): Shell {
  const store = `/var/lib/provision/transactions/${id}`
  return sh`
store=${store}
mkdir -p -m 0700 "$store" && mkdir "$store/old" || exit 1
say() { printf '%s\n' "$1" >&2; }
unstage() { rm -f -- ${swaps.map(({ at }) => at)}; }
forget() { rm -rf -- "$store"; }
give_up() { say "$1"; unstage; forget; exit ${UNDONE}; }
${lines(swaps.map(staged))}
${validate ? validated(validate, swaps, id) : sh``}
${lines(swaps.map(kept))}
{ sync -- "$store/old" "$store"/old/* 2>/dev/null; touch "$store/armed"; } || give_up ${`${label}: the old files could not be saved, so nothing was changed`}
activate() { (
${activate ?? sh`:`}
) </dev/null; }
probe() { (
${probe ?? sh`:`}
) </dev/null; }
restore() {
  say "$1"
${lines(swaps.map(restored))}
  unstage
  if [ -z "$(ls -A "$store/old")" ]; then say 'None of the files was there before, and none is there now.'; forget; exit ${UNDONE}; fi
  if activate >/dev/null 2>&1; then say 'The old files are back in place and in force.'; forget; exit ${UNDONE}; fi
  say 'The old files are back in place. They could not be put in force again: look at the service.'
  forget; exit 1
}
${lines(swaps.map(swapped))}
sync -- ${directories(swaps)}
activate || restore ${`${label}: it could not be activated.`}
probe || restore ${`${label}: it was activated, but it does not work.`}
forget`
}

function directories(swaps: readonly Swap[]): readonly string[] {
  return [...new Set(swaps.map(({ path }) => path.slice(0, path.lastIndexOf('/')) || '/'))]
}

function lines(all: readonly Shell[]): Shell {
  return all.reduce(
    (text, one) => sh`${text}${one}
`,
    sh``,
  )
}

function staged({ make, path }: Swap): Shell {
  return make ? sh`(${make}) || give_up ${`${path} could not be written`}` : sh``
}

/** A copy of what is there: a hard link would share its bytes with a program that writes in place. */
function kept({ path }: Swap, i: number): Shell {
  return sh`[ -L ${path} ] || [ ! -d ${path} ] || give_up ${`${path} is a directory, which a transaction cannot take back`}
if [ -e ${path} ] || [ -L ${path} ]; then cp -a -- ${path} "$store/old/"${i} || give_up ${`${path} could not be saved`}; fi`
}

function swapped({ path, at, make }: Swap): Shell {
  return make
    ? sh`mv -fT -- ${at} ${path} || restore ${`${path} could not be put in place.`}`
    : sh`rm -f -- ${path} || restore ${`${path} could not be removed.`}`
}

function restored({ path, at }: Swap, i: number): Shell {
  return sh`  if [ -e "$store/old/"${i} ] || [ -L "$store/old/"${i} ]; then cp -a -- "$store/old/"${i} ${at} && mv -fT -- ${at} ${path}; else rm -f -- ${path}; fi`
}

/** Runs the checker where the candidates are mounted over the live files. */
function validated(validate: Shell, swaps: readonly Swap[], id: string): Shell {
  const overlay = `/run/provision-${id}`
  const fill = swaps.map(({ path, at, make }) => (make ? sh`show ${path} ${at}` : sh`hide ${path}`))
  return sh`
overlay=${overlay}
mkdir -m 0700 "$overlay"
over() { d=$1; while [ ! -d "$d" ]; do d=$(dirname "$d"); done; printf %s "$d"; }
show() { d=$(dirname "$1"); mkdir -p "$overlay/upper$d"; cp -a -- "$2" "$overlay/upper$1"; over "$d" >> "$overlay/dirs"; echo >> "$overlay/dirs"; }
hide() { d=$(dirname "$1"); mkdir -p "$overlay/upper$d"; mknod "$overlay/upper$1" c 0 0; over "$d" >> "$overlay/dirs"; echo >> "$overlay/dirs"; }
${lines(fill)}
said=$(unshare -m --propagation private sh -c '
  o=$1
  sort -u "$o/dirs" > "$o/sorted"
  (cd "$o/upper" && find . -type d) | while read -r d; do
    if [ -d "/$d" ]; then chmod --reference="/$d" "$o/upper/$d"; chown --reference="/$d" "$o/upper/$d"; else chmod 755 "$o/upper/$d"; fi
  done
  top=
  while read -r d; do
    case "$top" in ?*) case "$d/" in "$top"/*) continue;; esac;; esac
    top=$d
    mkdir -p "$o/work$d"
    mount -t overlay overlay -o "lowerdir=$d,upperdir=$o/upper$d,workdir=$o/work$d" "$d" || exit 1
  done < "$o/sorted"
  eval "$(cat)" </dev/null 2>&1
' _ "$overlay" <<'PROVISION_VALIDATE' 2>&1
${validate}
PROVISION_VALIDATE
)
code=$?
rm -rf -- "$overlay"
[ "$code" = 0 ] || { say "$said"; give_up 'The new files were refused by their checker, and the old ones are untouched.'; }`
}
