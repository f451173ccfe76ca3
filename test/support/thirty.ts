import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Thirty, thirty } from '../../bench/job/thirty.ts'
import { pack } from '../../src/engine/batch.ts'
import { owed } from '../../src/engine/owed.ts'
import { undos } from '../../src/engine/undo.ts'
import { facts } from '../../src/model/facts.ts'
import { type Read, readAll } from '../../src/model/read.ts'
import { type Steps, unfold } from '../../src/model/steps.ts'
import { LocalFile } from '../../src/resources/files/local-file.ts'
import { build } from '../../src/resources/releases/release.ts'
import { unfinishedTransactions } from '../../src/resources/transaction/rollback.ts'

/** The role of 30 steps with its files of this machine; `remove` deletes these. */
export function thirtySteps(): { readonly steps: Steps; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'provision-thirty-'))
  mkdirSync(join(folder, 'dist'))
  writeFileSync(join(folder, 'dist/index.html'), 'a page\n')
  const large = openSync(join(folder, 'large'), 'w')
  ftruncateSync(large, 9 * 1024 * 1024)
  closeSync(large)
  const params: Thirty = {
    built: build(join(folder, 'dist'), ''),
    large: new LocalFile(join(folder, 'large')),
  }
  return { steps: thirty(params), remove: () => rmSync(folder, { recursive: true }) }
}

/** How many families of questions a run asks a host for these steps, which ask for no facts; with those that it asks of every host. */
export function familiesOf(of: Steps): number {
  const { steps } = unfold(of, {
    facts: {} as never,
    answers: { has: () => true, get: () => undefined } as never,
  })
  const every: readonly Read<unknown>[] = [facts, owed, undos, unfinishedTransactions]
  return every.length + pack(readAll(steps.map(({ step }) => step.read))).scripts.length
}
