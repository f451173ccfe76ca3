import { read } from '../../model/resource/read.ts'
import { joinLines, type Shell, sh } from '../../shell/sh.ts'
import { directoryOf, moveInto, REMOVED, showWriteError } from '../files/staging.ts'

export interface TransactionPlan {
  readonly label: string
  readonly id: string
  readonly swaps: readonly FileSwap[]
  readonly validate: Shell | undefined
  readonly activate: Shell | undefined
  readonly probe: Shell | undefined
  /** Restores the old files at a boot before the end: see `confirmed` of a transaction. */
  readonly confirmed: boolean
}

/** A path whose old entry is replaced by a staged one. */
export interface FileSwap {
  readonly path: string
  /** The staged entry, in the same directory. */
  readonly at: string
  /** Creates it there; undefined to remove the path. */
  readonly make: Shell | undefined
  /** Keeps a copy of the old entry after success. */
  readonly backup: boolean
}

/** The exit status of a failed transaction that has restored and activated the old files. */
export const ROLLED_BACK = 65

/**
 * A directory for each running transaction, with the old files and a script that restores and activates them. It is created before the
 * first change and removed at the end, so the next run can roll back an interrupted transaction. So can an administrator: `sh FILE`.
 */
const TRANSACTIONS = '/var/lib/provision/transactions'

function directoryFor(id: string): string {
  return `${TRANSACTIONS}/${id}`
}

/** The suffix of a directory that is being removed. */
const OVER = /\.over$/

function scriptFor(id: string): string {
  return `${directoryFor(id)}/rollback`
}

/** The name of the script in 0.1; it is read for one release. */
function oldScriptFor(id: string): string {
  return `${directoryFor(id)}/way-back`
}

/** A transaction that was interrupted by a crash of the host or a kill of its script. */
export interface UnfinishedTransaction {
  readonly id: string
  /** Undefined for the remains of a transaction that had ended. */
  readonly label: string | undefined
}

/** The unfinished transactions of a host. */
export const unfinishedTransactions = read(
  sh`for one in ${TRANSACTIONS}/*; do
  [ -d "$one" ] || continue
  case $one in *.over) label= ;; *) label=$(cat "$one/label" 2>/dev/null) ;; esac
  printf '%s\0%s\0' "\${one##*/}" "$label"
done`,
  ({ stdout }): readonly UnfinishedTransaction[] => {
    const values = stdout.split('\0').slice(0, -1)
    return values.flatMap((id, i) => (i % 2 === 1 ? [] : [{ id, label: values[i + 1] || undefined }]))
  },
  { shared: true },
)

/**
 * The result of a recovery. `unchanged`: no file had changed. `restored`: the old files are restored and active. `inactive`: they are
 * restored, but could not be activated. `finished`: the transaction has ended without help.
 */
export type Recovery = 'unchanged' | 'restored' | 'inactive' | 'finished'

/** Also the output of the scripts of 0.1, for one release. */
const RECOVERIES: Readonly<Record<string, Recovery>> = {
  ...{ unchanged: 'unchanged', restored: 'restored', inactive: 'inactive', finished: 'finished' },
  'nothing begun': 'unchanged',
  'in force': 'restored',
  'in place': 'inactive',
  'ended by itself': 'finished',
}

/** @param output of {@link recoverTransaction} */
export function parseRecovery(output: string): Recovery | undefined {
  return RECOVERIES[output.trim()]
}

/** Rolls back an interrupted transaction and prints the result. Can be repeated if it fails. */
export function recoverTransaction({ id }: Pick<UnfinishedTransaction, 'id'>): Shell {
  return sh`rm -rf -- ${directoryFor(`${id.replace(OVER, '')}.over`)}
[ ! -e ${oldScriptFor(id)} ] || ln -f -- ${oldScriptFor(id)} ${scriptFor(id)}
if [ -e ${scriptFor(id)} ]; then sh ${scriptFor(id)}
elif [ -d ${directoryFor(id)} ]; then rm -rf -- ${directoryFor(id)} && echo unchanged
else echo finished; fi`
}

/** Rolls back a transaction that was killed during the run, and exits with {@link ROLLED_BACK} if everything is as before. */
export function rollBackTransaction(one: Pick<UnfinishedTransaction, 'id'>): Shell {
  return sh`result=$(${recoverTransaction(one)}) || exit 1
case $result in
unchanged) echo 'It was killed before it had changed anything.' >&2; exit ${ROLLED_BACK} ;;
restored) echo 'It was killed. The old files are restored and active.' >&2; exit ${ROLLED_BACK} ;;
inactive) echo 'It was killed. The old files are restored, but could not be activated: check the service.' >&2 ;;
esac
exit 1`
}

/** A command for an administrator. */
export function manualRecoveryCommand({ id }: Pick<UnfinishedTransaction, 'id'>): string {
  return sh`sh ${scriptFor(id)}`.text
}

/**
 * Creates the directory, and loads the functions of its script (`put_back`, `activate`, `unstage`, `forget`), so that a rollback within
 * the transaction and a later one are the same code. The lock tells a running transaction from an interrupted one.
 */
export function prepareTransaction(plan: TransactionPlan): Shell {
  const store = directoryFor(plan.id)
  const script = scriptFor(plan.id)
  const fresh = `${script}.new`
  return sh`
mkdir -p -m 0700 ${TRANSACTIONS} && mkdir -m 0700 ${store} ${`${store}/old`} && exec 8>${`${store}/lock`} && flock 8 &&
printf %s ${plan.label} > ${`${store}/label`} && printf %s ${rollbackScript(plan).text} > ${fresh} && sync ${fresh} ||
  { ${showWriteError(fresh)}; rm -rf -- ${store}; exit ${ROLLED_BACK}; }
sh -n ${fresh} || { rm -rf -- ${store}; exit ${ROLLED_BACK}; }
mv ${fresh} ${script} && sync ${store} ${TRANSACTIONS} || exit 1
${plan.confirmed ? installRollbackUnit({ id: plan.id, script }) : sh``}
under_way=yes
. ${script}`
}

function rollbackScript({ id, label, swaps, activate, confirmed }: TransactionPlan): Shell {
  const about = `Rolls back the interrupted transaction "${label.replace(/\s+/g, ' ')}": restores and activates the old files. The next run of provision does the same.`
  return sh`${comment(about)}
store=${directoryFor(id)}
say() { printf '%s\n' "$1" >&2; }
unstage() { rm -f -- ${swaps.map(({ at }) => at)}; }
forget() { ${confirmed ? removeRollbackUnit({ id }) : sh`:`}; mv -T -- "$store" "$store.over" && sync ${TRANSACTIONS} && rm -rf -- "$store.over"; }
activate() { (
${activate ?? sh`:`}
) </dev/null 8>&-; }
back() {
  if [ -e "$1" ] || [ -L "$1" ]; then cp -a -- "$1" "$3" && { [ -L "$3" ] || sync -- "$3"; } && ${moveInto(sh`"$3"`, sh`"$2"`)}
  elif [ -e "$2" ] || [ -L "$2" ]; then rm -f -- "$2"; fi
}
put_back() {
  missed=
${joinLines(swaps.map(({ path, at }, i) => sh`  back "$store/old/"${i} ${path} ${at} || { say ${`${path} could not be restored.`}; missed=yes; }`))}
  unstage
  [ -z "$missed" ] && { sync -- ${directoriesOf(swaps)} 2>/dev/null || :; }
}
[ -z "\${under_way-}" ] || return 0
cd / || exit 1
exec 8>>"$store/lock" && flock -w 120 8 || { say 'The transaction is still running.'; exit 1; }
if [ ! -d "$store" ]; then echo finished; exit 0; fi
rm -rf -- ${`/run/provision-${id}`} ${`/run/provision-${id}.waiting`} ${`/run/provision-${id}.confirmed`}
if [ ! -e "$store/armed" ]; then unstage && forget && echo unchanged; exit; fi
aside=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N)
umask 077
keep() {
  { [ -e "$2" ] || [ -L "$2" ]; } && ! { [ -f "$1" ] && [ ! -L "$2" ] && cmp -s -- "$1" "$2"; } || return 0
  mkdir -p "$aside" && cp -a --parents -- "$2" "$aside/"
}
${joinLines(swaps.map(({ path }, i) => sh`keep "$store/old/"${i} ${path} || exit 1`))}
put_back || exit 1
[ "\${1-}" != boot ] || exit 0
if activate >&2; then result=restored; else result=inactive; fi
forget && echo "$result"
`
}

function comment(text: string): Shell {
  return sh`: ${text}`
}

export function directoriesOf(swaps: readonly FileSwap[]): readonly string[] {
  return [...new Set(swaps.map(({ path }) => directoryOf(path)))]
}

/**
 * Restores files that may cut off the host, if it boots before they are confirmed: then no connection could roll them back. The unit runs
 * before other units read the files, and exists only during the transaction. The next run ends the transaction.
 */
interface RollbackUnit {
  /** Of the transaction. */
  readonly id: string
  /** The path of the rollback script. */
  readonly script: string
}

const UNITS = '/etc/systemd/system'
const WANTS = `${UNITS}/sysinit.target.wants`

/** No reload of systemd: the unit is only needed at the next boot. */
function installRollbackUnit(one: RollbackUnit): Shell {
  const name = unitName(one)
  return sh`[ ! -d /run/systemd/system ] || { mkdir -p ${WANTS} && printf %s ${unitText(one)} > ${`${UNITS}/${name}`} && ln -sfn ${`../${name}`} ${`${WANTS}/${name}`} && sync ${`${UNITS}/${name}`} ${UNITS} ${WANTS}; } || exit 1`
}

function removeRollbackUnit(one: Pick<RollbackUnit, 'id'>): Shell {
  const name = unitName(one)
  return sh`rm -f -- ${`${WANTS}/${name}`} ${`${UNITS}/${name}`}`
}

function unitName({ id }: Pick<RollbackUnit, 'id'>): string {
  return `provision-rollback-${id}.service`
}

function unitText({ script }: RollbackUnit): string {
  return `[Unit]
Description=Restores files that provision has not confirmed before the boot
DefaultDependencies=no
After=local-fs.target
Wants=network-pre.target
Before=network-pre.target nftables.service provision-firewall.service

[Service]
Type=oneshot
ExecStart=/bin/sh ${script} boot
`
}
