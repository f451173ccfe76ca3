import type { Reached } from '../model/command.ts'
import { type Shell, sh } from '../shell/sh.ts'

/** A wait on a host for somebody who comes to it anew. */
export interface Visit extends Reached {
  /** Fails when nobody has come in time. */
  readonly wait: Shell
}

/** Seconds. A login that has to try a second time takes three. */
const PATIENCE = 15

/** @param id tells one wait from another */
export function visitOf(id: string): Visit {
  const awaited = `/run/provision-${id}.awaited`
  const come = `/run/provision-${id}.come`
  return {
    awaited: sh`[ -e ${awaited} ]`,
    come: sh`[ -e ${awaited} ] && : > ${come}`,
    wait: sh`
trap 'rm -f '${awaited}' '${come} EXIT
: > ${awaited}
end=$(($(date +%s) + ${PATIENCE}))
until [ -e ${come} ]; do
  [ "$(date +%s)" -lt "$end" ] || { echo ${`No new connection came through within ${PATIENCE} s.`} >&2; exit 1; }
  sleep 0.1
done`,
  }
}
