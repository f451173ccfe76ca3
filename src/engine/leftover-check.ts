import { type Check, expect } from '../model/check/check.ts'
import { openDrains, pendingHandlers, undrainCommand } from '../model/host-state.ts'
import type { Host } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import { ask, askHost } from '../model/resource/question.ts'
import { mapRead, readAll } from '../model/resource/read.ts'
import { unfinishedTransactions } from '../resources/transaction/rollback.ts'

const left = ask(
  'what runs have left behind',
  readAll<readonly string[]>([
    mapRead(pendingHandlers, (names) => names.map((name) => `owed: ${name}`)),
    mapRead(openDrains, (all) =>
      all.map((one) => `${one.host} is still ${one.label}; to take it back: ${undrainCommand(one)}`),
    ),
    mapRead(unfinishedTransactions, (all) =>
      all.flatMap(({ label }) => (label === undefined ? [] : [`unfinished: transaction ${label}`])),
    ),
  ]),
)

/** That no run has died on the host with something still to be done. */
export function leftoverCheck(host: Host): Check {
  return expect('nothing is left of unfinished runs', askHost(host, left), (all) => {
    const [first, ...details] = (all ?? []).flat()
    return first === undefined
      ? undefined
      : new Problem(first, { details, next: 'The next run makes it good: run the playbook again.' })
  })
}
