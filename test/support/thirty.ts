import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Thirty, thirty } from '../../bench/job/thirty.ts'
import { batch } from '../../src/engine/hosts/batch.ts'
import { openDrains, pendingHandlers } from '../../src/model/host-state.ts'
import { expand } from '../../src/model/playbook/expand.ts'
import type { Steps } from '../../src/model/playbook/steps.ts'
import { type Read, readAll } from '../../src/model/resource/read.ts'
import { readFacts } from '../../src/model/resource/read-facts.ts'
import { LocalFile } from '../../src/resources/files/content.ts'
import { build } from '../../src/resources/releases/release.ts'
import { unfinishedTransactions } from '../../src/resources/transaction/rollback.ts'

/** Creates the role of 30 steps with its files on this machine; `remove` deletes them. */
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

/** The number of read batches of a run for these steps, which need no facts, including those that it needs on every host. */
export function familiesOf(of: Steps): number {
  const { steps } = expand(of, {
    facts: {} as never,
    host: {} as never,
    answers: { has: () => true, get: () => undefined } as never,
  })
  const every: readonly Read<unknown>[] = [readFacts, pendingHandlers, openDrains, unfinishedTransactions]
  return every.length + batch(readAll(steps.map(({ step }) => step.read))).scripts.length
}
