import { ask, askHost } from '../model/ask.ts'
import { type Check, expect } from '../model/check.ts'
import type { Host } from '../model/host.ts'
import { Problem } from '../model/problem.ts'
import { mapRead, readAll } from '../model/read.ts'
import { unfinishedTransactions } from '../resources/transaction/rollback.ts'
import { owed } from './owed.ts'
import { undoByHand, undos } from './undo.ts'

const left = ask(
  'what runs have left behind',
  readAll<readonly string[]>([
    mapRead(owed, (names) => names.map((name) => `owed: ${name}`)),
    mapRead(undos, (all) =>
      all.map((one) => `${one.host} is still ${one.label}; to take it back: ${undoByHand(one)}`),
    ),
    mapRead(unfinishedTransactions, (all) =>
      all.flatMap(({ label }) => (label === undefined ? [] : [`unfinished: transaction ${label}`])),
    ),
  ]),
)

/** That no run has died on the host with something still to be done. */
export function nothingLeft(host: Host): Check {
  return expect('nothing is left of unfinished runs', askHost(host, left), (all) => {
    const [first, ...details] = (all ?? []).flat()
    return first === undefined
      ? undefined
      : new Problem(first, { details, next: 'The next run makes it good: run the playbook again.' })
  })
}
