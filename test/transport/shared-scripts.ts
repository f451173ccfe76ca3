import { expect } from 'chai'
import { type Shell, sh } from '../../src/shell/sh.ts'
import type { Result, Session } from '../../src/transport/session/session.ts'

/** Tests of scripts that share a subshell, for any session. */
export function sharedScripts(session: () => Session): void {
  it('runs shared scripts in one subshell, each with its own output and status', async () => {
    const pid = sh`read -r pid _ </proc/self/stat; echo $pid`
    const shared = [pid, sh`echo "out's"; echo err >&2; false`, sh`cat`, pid]
    const results = await session().run(shared.map((script) => ({ script, mode: 'shared' as const })))
    expect(results.slice(1, 3).map(text)).to.deep.equal(["1 out's\n err\n", '0  '])
    expect(results[0]?.stdout.toString())
      .to.match(/^\d+\n$/)
      .and.equal(results[3]?.stdout.toString())
  })

  it('returns no answer of a shared script that ends its subshell, nor of those after it', async () => {
    const before = { script: sh`echo before`, mode: 'shared' as const }
    for (const [end, code] of [
      [sh`echo cut; exit 3`, 3],
      [sh`echo cut; exit 0`, 125],
      [sh`echo cut; read -r pid _ </proc/self/stat; kill -KILL $pid`, 137],
    ] as const) {
      const results = await session().run([before, { script: end, mode: 'shared' }, before, { script: sh`echo own` }])
      expect(results.map(text)).to.deep.equal(['0 before\n ', `${code}  `, `${code}  `, '0 own\n '])
    }
  })

  it('skips shared scripts after a failure, but not one that may fail', async () => {
    const of = (script: Shell, mayFail = false) => ({ script, mode: 'shared' as const, mayFail })
    const results = await session().run(
      [
        of(sh`false`, true),
        of(sh`echo first`),
        of(sh`exit_status() { return 4; }; exit_status`),
        of(sh`echo no`),
        { script: sh`echo no` },
      ],
      { stopAtFailure: true },
    )
    expect(results.map(({ code, skipped }) => [code, skipped])).to.deep.equal([
      [1, false],
      [0, false],
      [4, false],
      [-1, true],
      [-1, true],
    ])
    const [next] = await session().run([{ script: sh`echo next` }])
    expect(next && text(next)).to.equal('0 next\n ')
  })

  it('kills a shared script for its timeout, and stays usable', async () => {
    const shared = { mode: 'shared' as const, timeout: 200 }
    const results = await session().run([
      { script: sh`echo before`, ...shared },
      { script: sh`sleep 1000`, ...shared },
      { script: sh`echo behind`, ...shared },
      { script: sh`echo own` },
    ])
    expect(results.map(({ code, timedOut }) => [code, timedOut])).to.deep.equal([
      [0, false],
      [137, true],
      [137, false],
      [0, false],
    ])
  })
}

/** The status and both outputs of a script. */
export function text({ code, stdout, stderr }: Result): string {
  return `${code} ${stdout} ${stderr}`
}
