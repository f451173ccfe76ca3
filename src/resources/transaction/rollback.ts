import { read } from '../../model/resource/read.ts'
import { joinLines } from '../../shell/script-parts.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { REMOVED } from '../files/removed.ts'
import { directoryOf, moveInto, showWriteError } from '../files/staging.ts'
import { ROLLED_BACK, type Swap, type TransactionPlan } from './plan.ts'
import { installRollbackUnit, removeRollbackUnit } from './rollback-unit.ts'

/**
 * A directory for each transaction that is under way: the old files, and a script that puts them back and in force. It is there
 * before anything is changed and gone when all is well, so one that was cut off leaves its way back for the next run, and for a
 * person: `sh FILE`.
 */
const DIRECTORY = '/var/lib/provision/transactions'

export function directoryFor(id: string): string {
  return `${DIRECTORY}/${id}`
}

/** What a store is called while it is taken away. */
const OVER = /\.over$/

function scriptOf(id: string): string {
  return `${directoryFor(id)}/way-back`
}

/** A transaction that was cut off, by a crash of the host or a kill of its script. */
export interface UnfinishedTransaction {
  readonly id: string
  /** Undefined for what is left of one that had ended. */
  readonly label: string | undefined
}

/** The transactions that are not finished on a host. */
export const unfinishedTransactions = read(
  sh`for one in ${DIRECTORY}/*; do
  [ -d "$one" ] || continue
  case $one in *.over) label= ;; *) label=$(cat "$one/label" 2>/dev/null) ;; esac
  printf '%s\0%s\0' "\${one##*/}" "$label"
done`,
  ({ stdout }): readonly UnfinishedTransaction[] => {
    const words = stdout.split('\0').slice(0, -1)
    return words.flatMap((id, i) => (i % 2 === 1 ? [] : [{ id, label: words[i + 1] || undefined }]))
  },
  { shared: true },
)

/** How a transaction that was cut off was brought to an end. */
export type Recovery = (typeof RECOVERIES)[number]

const RECOVERIES = ['nothing begun', 'in force', 'in place', 'ended by itself'] as const

/** @param said what {@link recoverTransaction} wrote */
export function parseRecovery(said: string): Recovery | undefined {
  return RECOVERIES.find((one) => one === said.trim())
}

/** Brings it to an end, and says how. Fails when the old files could not be put back; then it can be tried again. */
export function recoverTransaction({ id }: Pick<UnfinishedTransaction, 'id'>): Shell {
  return sh`rm -rf -- ${directoryFor(`${id.replace(OVER, '')}.over`)}
if [ -e ${scriptOf(id)} ]; then sh ${scriptOf(id)}
elif [ -d ${directoryFor(id)} ]; then rm -rf -- ${directoryFor(id)} && echo 'nothing begun'
else echo 'ended by itself'; fi`
}

/** What a transaction that was ended from outside did not come to: ends with its own status when all is as it was. */
export function rollBackTransaction(one: Pick<UnfinishedTransaction, 'id'>): Shell {
  return sh`said=$(${recoverTransaction(one)}) || exit 1
case $said in
'nothing begun') echo 'It was ended from outside, before it had changed anything.' >&2; exit ${ROLLED_BACK} ;;
'in force') echo 'It was ended from outside. The old files are back in place and in force.' >&2; exit ${ROLLED_BACK} ;;
'in place') echo 'It was ended from outside. The old files are back in place. They could not be put in force again: look at the service.' >&2 ;;
esac
exit 1`
}

/** For a person on the host. */
export function manualRecoveryCommand({ id }: Pick<UnfinishedTransaction, 'id'>): string {
  return sh`sh ${scriptOf(id)}`.text
}

/**
 * Makes the store and goes on with the functions of its script, `put_back`, `activate`, `unstage` and `forget`: what a transaction
 * takes back by itself, and what is made good later, is done by one text. Its lock tells one that goes on from one that was cut off.
 */
export function prepareTransaction(plan: TransactionPlan): Shell {
  const store = directoryFor(plan.id)
  const script = scriptOf(plan.id)
  const fresh = `${script}.new`
  return sh`
mkdir -p -m 0700 ${DIRECTORY} && mkdir -m 0700 ${store} ${`${store}/old`} && exec 8>${`${store}/lock`} && flock 8 &&
printf %s ${plan.label} > ${`${store}/label`} && printf %s ${rollbackScript(plan).text} > ${fresh} && sync ${fresh} ||
  { ${showWriteError(fresh)}; rm -rf -- ${store}; exit ${ROLLED_BACK}; }
sh -n ${fresh} || { rm -rf -- ${store}; exit ${ROLLED_BACK}; }
mv ${fresh} ${script} && sync ${store} ${DIRECTORY} || exit 1
${plan.confirmed ? installRollbackUnit({ id: plan.id, script }) : sh``}
under_way=yes
. ${scriptOf(plan.id)}`
}

function rollbackScript({ id, label, swaps, activate, confirmed: reachable }: TransactionPlan): Shell {
  const about = `The transaction "${label.replace(/\s+/g, ' ')}" was cut off. This puts the old files back and in force; the next run of provision does so too.`
  return sh`${commented(about)}
store=${directoryFor(id)}
say() { printf '%s\n' "$1" >&2; }
unstage() { rm -f -- ${swaps.map(({ at }) => at)}; }
forget() { ${reachable ? removeRollbackUnit({ id }) : sh`:`}; mv -T -- "$store" "$store.over" && sync ${DIRECTORY} && rm -rf -- "$store.over"; }
activate() { (
${activate ?? sh`:`}
) </dev/null 8>&-; }
back() {
  if [ -e "$1" ] || [ -L "$1" ]; then cp -a -- "$1" "$3" && { [ -L "$3" ] || sync -- "$3"; } && ${moveInto(sh`"$3"`, sh`"$2"`)}
  elif [ -e "$2" ] || [ -L "$2" ]; then rm -f -- "$2"; fi
}
put_back() {
  missed=
${joinLines(swaps.map(({ path, at }, i) => sh`  back "$store/old/"${i} ${path} ${at} || { say ${`${path} could not be put back.`}; missed=yes; }`))}
  unstage
  [ -z "$missed" ] && { sync -- ${directoriesOf(swaps)} 2>/dev/null || :; }
}
[ -z "\${under_way-}" ] || return 0
cd / || exit 1
exec 8>>"$store/lock" && flock -w 120 8 || { say 'It is still under way.'; exit 1; }
if [ ! -d "$store" ]; then echo 'ended by itself'; exit 0; fi
rm -rf -- ${`/run/provision-${id}`} ${`/run/provision-${id}.awaited`} ${`/run/provision-${id}.come`}
if [ ! -e "$store/armed" ]; then unstage && forget && echo 'nothing begun'; exit; fi
aside=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N)
umask 077
keep() {
  { [ -e "$2" ] || [ -L "$2" ]; } && ! { [ -f "$1" ] && [ ! -L "$2" ] && cmp -s -- "$1" "$2"; } || return 0
  mkdir -p "$aside" && cp -a --parents -- "$2" "$aside/"
}
${joinLines(swaps.map(({ path }, i) => sh`keep "$store/old/"${i} ${path} || exit 1`))}
put_back || exit 1
[ "\${1-}" != boot ] || exit 0
if activate >&2; then said='in force'; else said='in place'; fi
forget && echo "$said"
`
}

function commented(text: string): Shell {
  return sh`: ${text}`
}

export function directoriesOf(swaps: readonly Swap[]): readonly string[] {
  return [...new Set(swaps.map(({ path }) => directoryOf(path)))]
}
