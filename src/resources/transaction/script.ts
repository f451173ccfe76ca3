import { joinLines } from '../../shell/script-parts.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { REMOVED } from '../files/removed.ts'
import { baseName, moveInto } from '../files/staging.ts'
import { ROLLED_BACK, type Swap, type TransactionPlan } from './plan.ts'
import { directoriesOf, prepareTransaction } from './rollback.ts'
import { validateScript } from './validate.ts'

/**
 * The whole transaction as one script on the host: what it has begun it ends there, even when the connection is lost; and when
 * that is cut off, too, its store tells the next run how to end it.
 */
export function transactionScript(plan: TransactionPlan): Shell {
  const { label, id, swaps, validate, probe } = plan
  return sh`
${prepareTransaction(plan)}
give_up() { say "$1"; unstage; forget; exit ${ROLLED_BACK}; }
${joinLines(swaps.map(staged))}
${validate ? validateScript(validate, swaps, id) : sh``}
${joinLines(swaps.map(kept))}
{ sync -- "$store"/old "$store"/old/* 2>/dev/null; : > "$store/armed" && sync "$store/armed" "$store"; } || give_up ${`${label}: the old files could not be saved, so nothing was changed`}
probe() { (
${probe ?? sh`:`}
) </dev/null 8>&-; }
restore() {
  say "$1"
  put_back || { say 'The next run tries to put it back again.'; exit 1; }
  activate >/dev/null 2>&1 && in_force=yes || in_force=
  if [ -z "$(ls -A "$store/old")" ]; then say 'None of the files was there before, and none is there now.'; forget; exit ${ROLLED_BACK}; fi
  if [ "$in_force" ]; then say 'The old files are back in place and in force.'; forget; exit ${ROLLED_BACK}; fi
  say 'The old files are back in place. They could not be put in force again: look at the service.'
  forget; exit 1
}
${joinLines(swaps.map(swapped))}
sync -- ${directoriesOf(swaps)} 2>/dev/null
activate || restore ${`${label}: it could not be activated.`}
probe || restore ${`${label}: it was activated, but it does not work.`}
${joinLines(swaps.map(removed))}
forget`
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
    ? sh`{ ${moveInto(at, path)}; } || restore ${`${path} could not be put in place.`}`
    : sh`rm -f -- ${path} || restore ${`${path} could not be removed.`}`
}

/** What is removed, and what asks for a backup, is kept where a run keeps all that it removes. */
function removed({ path, make, backup }: Swap, i: number): Shell {
  if (make && !backup) return sh``
  return sh`if [ -e "$store/old/"${i} ] || [ -L "$store/old/"${i} ]; then
  to=${REMOVED}/$(date +%Y%m%dT%H%M%S.%N) && (umask 077; mkdir -p "$to") && cp -a -- "$store/old/"${i} "$to/"${baseName(path)} || restore ${`${path} could not be kept.`}
fi`
}
