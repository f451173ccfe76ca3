import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Outcome, sideBySide } from '../../src/model/side-by-side.ts'
import { sh } from '../../src/shell/sh.ts'
import { temporary } from '../support/rig.ts'
import { wordsOf } from '../support/words.ts'

describe('scripts that a host runs side by side', () => {
  const root = temporary()
  after(() => rmSync(root, { recursive: true }))

  /** What a shell with these programs before its own makes of it. */
  const told = (programs: string): Outcome => {
    const { parts, value } = sideBySide({ script: sh`echo hello; exit 3`, within: '5s' })
    const env = { PATH: `${programs}:/usr/bin:/bin` }
    return value(
      parts.flatMap(({ family, query }) => {
        const { stdout, stderr, status } = spawnSync('sh', ['-c', family.script([query]).text], { env })
        const answer = { stdout: String(stdout), stderr: String(stderr), code: status ?? -1, bytes: stdout }
        return family.parse(answer, [query])
      }),
    )
  }

  it('tell their status, their words and how long they took', () => {
    const outcome = told('/nonexistent')
    expect(outcome).to.include({ code: 3, words: 'hello', timedOut: false })
    expect(outcome.ms).to.be.within(0, 5_000)
  })

  it('need a date that knows of nanoseconds, and say so where it does not, as busybox', async () => {
    writeFileSync(`${root}/date`, '#!/bin/sh\necho 1700000000%N\n')
    chmodSync(`${root}/date`, 0o755)
    expect(await wordsOf(() => told(root))).to.equal(`error: The host did not say what came of it
   Its shell takes the time with \`date +%s%N\` of GNU coreutils; install them there.`)
  })
})
