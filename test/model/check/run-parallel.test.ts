import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { failureOf, runParallel, type ScriptOutcome } from '../../../src/model/check/run-parallel.ts'
import type { Duration } from '../../../src/shell/duration.ts'
import { type Shell, sh } from '../../../src/shell/sh.ts'
import { temporary } from '../../support/rig.ts'
import { wordsOf } from '../../support/words.ts'

const LIMIT = /^no answer within (\S+ s) \(an empty script took \S+ s on the host\)$/

describe('check scripts on a host', () => {
  const root = temporary()
  after(() => rmSync(root, { recursive: true }))

  interface Run {
    readonly within?: Duration
    /** A directory of programs that take precedence over those of the machine. */
    readonly programs?: string
    readonly percent?: number
    readonly path?: string
  }

  const outcomes = (
    scripts: readonly Shell[],
    { within = '60s', programs = root, percent, path = `${programs}:/usr/bin:/bin` }: Run = {},
  ): readonly ScriptOutcome[] => {
    const reads = scripts.map((script) => runParallel({ script, within }))
    const parts = reads.flatMap((one) => one.parts)
    const queries = parts.map(({ query }) => query)
    const family = parts[0]?.family
    if (!family) return []
    const env = { PATH: path, ...(percent && { PROVISION_TIMEOUT_PERCENT: String(percent) }) }
    const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', family.script(queries).text], { env })
    const answer = { stdout: String(stdout), stderr: String(stderr), code: status ?? -1, bytes: stdout }
    const values = family.parse(answer, queries)
    return reads.map((read, i) => read.value([values[i]]))
  }
  const reasons = (scripts: readonly Shell[], run?: Run) => outcomes(scripts, run).map((one) => failureOf(one)?.message)
  /** A number of seconds that no other test passes to sleep. */
  const long = 1_000_000 + process.pid
  const isLeft = () =>
    spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout.split('\n').includes(`sleep ${long}`)
  /** A directory with one program that replaces the one of the machine. */
  const program = (name: string, text: string): string => {
    const directory = temporary(root)
    writeFileSync(`${directory}/${name}`, `#!/bin/sh\n${text}\n`)
    chmodSync(`${directory}/${name}`, 0o755)
    return directory
  }

  it('report their status, the end of their output and their duration', () => {
    const [first, second] = outcomes([sh`echo hello; echo "é 'x'" >&2; exit 3`, sh`true`])
    expect(first).to.include({ ended: 'exit', code: 3, said: "hello\né 'x'\n" })
    expect(first?.limit).to.be.at.least(60_000)
    expect(first?.ms).to.be.at.least(0)
    expect(second).to.include({ ended: 'exit', code: 0, said: '' })
    const [long] = outcomes([sh`seq 1 100000; echo the end; exit 1`])
    expect(long?.said).to.have.length(1_500)
    expect(long && failureOf(long)?.details.at(-1)).to.equal('the end')
  })

  it('are stopped at their limit with all their child processes, and have the result unknown', () => {
    const mark = `${root}/mark`
    const stopped = sh`mark=${mark}; trap ': > "$mark"; exit' TERM; sleep ${long} & sleep ${long}`
    expect(reasons([stopped], { within: '50ms' })[0]).to.match(LIMIT)
    expect(existsSync(mark)).to.equal(true)
    expect(isLeft()).to.equal(false)
  })

  it('are killed if they ignore SIGTERM', () => {
    expect(reasons([sh`trap '' TERM; echo deaf; while :; do sleep 1; done`], { within: '50ms' })[0]).to.match(LIMIT)
  })

  it('leave no process behind when they end', () => {
    expect(reasons([sh`sleep ${long} & exit 0`])).to.deep.equal([undefined])
    expect(isLeft()).to.equal(false)
  })

  it('run in parallel up to the number of CPUs, and one that waits does not block the others', () => {
    const log = temporary(root)
    const counted = sh`: > ${sh`${log}`}/$$; sleep 0.1; ls ${log} | wc -l; rm ${sh`${log}`}/$$`
    const most = Math.max(2, Number(spawnSync('nproc', ['--all'], { encoding: 'utf8' }).stdout))
    const counts = outcomes(Array(3 * most).fill(counted)).map(({ said }) => Number(said))
    expect(counts).to.have.length(3 * most)
    expect(Math.max(...counts)).to.be.within(1, most)
    const last = `${temporary(root)}/last`
    const waiting = sh`until [ -e ${last} ]; do sleep 0.05; done`
    expect(reasons([...Array(most).fill(waiting), sh`: > ${last}`])).to.deep.equal(Array(most + 1).fill(undefined))
  })

  it('have longer limits on a host with slow processes, and report both times', () => {
    const programs = program('sh', 'sleep 0.2; exec /bin/sh "$@"')
    const [outcome] = outcomes([sh`sleep 1000`], { within: '50ms', programs })
    expect(outcome?.empty).to.be.greaterThan(150)
    expect(outcome?.limit).to.be.at.least(150)
    expect(outcome && failureOf(outcome)?.message).to.match(LIMIT)
  })

  it('multiply their limits by the factor of the run', () => {
    // A busy machine increases them further.
    expect(outcomes([sh`true`], { percent: 300 })[0]?.limit).to.be.at.least(180_000)
    expect(Number(outcomes([sh`echo $limit`], { percent: 300 })[0]?.said)).to.be.at.least(180)
    expect(Number(outcomes([sh`echo $limit`], { percent: 100 })[0]?.said)).to.be.at.least(60)
  })

  it('use the limit of the inventory by default, else 10 s', () => {
    const [{ query, family } = {}] = runParallel({ script: sh`echo $limit` }).parts
    const limitWith = (env: Readonly<Record<string, string>>) => {
      const script = family?.script([query]).text ?? ''
      const { stdout } = spawnSync('/bin/sh', ['-c', script], {
        env: { PATH: '/usr/bin:/bin', ...env },
        encoding: 'utf8',
      })
      const [, , , , , limit] = stdout.split('\n')[0]?.split(' ') ?? []
      return Number(limit)
    }
    expect(limitWith({})).to.be.at.least(10).and.below(70)
    expect(limitWith({ PROVISION_CHECK_SECONDS: '7000' })).to.be.at.least(7_000)
  })

  it('have the result unknown after status 75 or a signal, and after no other status', () => {
    expect(
      outcomes([sh`exit 75`, sh`kill -15 $$`, sh`exit 124`, sh`exit 137`, sh`exit 1`]).map(
        (one) => failureOf(one, 'Do this.')?.next,
      ),
    ).to.deep.equal([undefined, undefined, 'Do this.', 'Do this.', 'Do this.'])
  })

  it('need perl, and fail with that reason without it', async () => {
    const path = temporary(root)
    mkdirSync(path, { recursive: true })
    symlinkSync('/bin/true', `${path}/true`)
    expect(await wordsOf(() => outcomes([sh`true`], { path }))).to.match(
      /^error: The checks did not run to their end: .*perl.*not found\n.*Checks need perl: apt-get install perl-base/s,
    )
  })

  it('have the result unknown if the host cannot start a process', () => {
    const outcome = {
      said: 'Resource temporarily unavailable',
      ms: 0,
      limit: 1,
      empty: 0,
      from: 0,
      to: 0,
      code: 0,
    }
    expect(failureOf({ ...outcome, ended: 'unstarted' })?.message).to.equal('the host could not start a process')
  })

  it('cannot inject code into perl', () => {
    const quoted = ["'", '"', '$x', '@x', '\\n', '`id`', '-e', 'é'].join(' ')
    expect(outcomes([sh`printf %s ${quoted}`])[0]?.said).to.equal(quoted)
  })
})
