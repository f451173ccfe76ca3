import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Play, play } from '../../../src/model/playbook/play.ts'
import { probe } from '../../../src/model/playbook/probe.ts'
import { handler } from '../../../src/model/resource/handler.ts'
import { absent } from '../../../src/resources/files/absent.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import { recoverTransaction } from '../../../src/resources/transaction/rollback.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { type Shell, sh } from '../../../src/shell/sh.ts'
import { ownRig } from '../../support/rig.ts'

/** A transaction on files that contain their version; the activation copies the active version. */
describe('an interrupted transaction', () => {
  const rig = ownRig({ private: true })

  beforeEach(() => {
    mkdirSync(`${rig.root}/d`)
    for (const name of ['a', 'd/b', 'gone']) writeFileSync(`${rig.root}/${name}`, 'old')
    writeFileSync(`${rig.root}/in-force`, 'old')
  })
  afterEach(async () => {
    expect(await said(LEFT(rig.root))).to.equal('')
  })

  const said = async (script: Shell) => {
    const { session, close } = await rig.open({ name: 'web1', group: 'web', address: '' }, { lock: false })
    const [result] = await session.run([{ script, mode: 'isolated' }])
    await close()
    return `${result?.stdout}${result?.stderr}`
  }
  const activated = (then = sh`:`) =>
    handler(
      'activate',
      sh`a=$(cat ${`${rig.root}/a`}) b=$(cat ${`${rig.root}/d/b`})
[ "$a" = "$b" ] || echo mix >> ${`${rig.root}/mixed`}
printf %s "$a" > ${`${rig.root}/in-force`}
${then}`,
    )
  const step = (cut: { validate?: Shell; activate?: Shell; probe?: Shell; timeout?: number } = {}) =>
    transaction(
      'conf',
      [
        file(`${rig.root}/a`, 'new', rig.own),
        file(`${rig.root}/d/b`, 'new', rig.own),
        file(`${rig.root}/fresh`, 'new', rig.own),
        link(`${rig.root}/link`, { target: 'a' }),
        absent(`${rig.root}/gone`),
      ],
      {
        activate: activated(cut.activate),
        ...(cut.validate && { validate: cut.validate }),
        ...(cut.probe && { probe: probe('it works', cut.probe) }),
        ...(cut.timeout && { timeout: cut.timeout }),
      },
    )
  const run = (one: ReturnType<typeof step>, mode: 'apply' | 'plan' = 'apply') =>
    rig.run((web): readonly Play[] => [play('web', { hosts: web }, () => one)], { mode })
  const now = () =>
    Object.fromEntries(
      readdirSync(rig.root, { recursive: true, encoding: 'utf8' })
        .filter((name) => name !== 'd' && name !== 'cut')
        .sort()
        .map((name) => [name, readFileSync(`${rig.root}/${name}`, 'utf8')]),
    )
  const OLD = { a: 'old', 'd/b': 'old', gone: 'old', 'in-force': 'old' }
  const NEW = { a: 'new', 'd/b': 'new', fresh: 'new', 'in-force': 'new', link: 'new' }

  it('is complete or rolled back after the recovery, at any point of interruption', async function () {
    this.slow('1m')
    const [command] = step({ validate: sh`grep -q new ${`${rig.root}/a`}`, probe: sh`:` })
      .apply([...['a', 'b'].map(() => FILE), undefined, undefined, FILE])
      .slice(-1)
    const id = /transactions\/([0-9a-f]+)/.exec(command?.script.text ?? '')?.[1] ?? ''
    const reported = await said(everyCut({ root: rig.root, id, script: command?.script ?? sh`` }))
    const cuts = reported.trim().split('\n')
    expect(cuts.length, reported).to.be.greaterThan(80)
    for (const cut of cuts) expect(cut).to.match(/^\d+ (unchanged|restored|finished) (old|new)$/)
    const outcomes = new Set(cuts.map((cut) => cut.replace(/^\d+ /, '')))
    expect([...outcomes]).to.include.members(['unchanged old', 'restored old', 'finished new'])
  })

  const KILL = sh`kill -KILL $$`
  const once = (script: Shell) => sh`[ -e ${`${rig.root}/cut`} ] || { : > ${`${rig.root}/cut`}; ${script}; }`
  const stages = () => ({
    'in its checker': { validate: sh`kill -KILL $(ps -o ppid= -p $PPID)` },
    'in its activation': { activate: once(KILL) },
    'in its probe': { probe: KILL },
    'by its timeout': { activate: once(sh`sleep 100`), timeout: 500 },
  })
  for (const stage of ['in its checker', 'in its activation', 'in its probe', 'by its timeout'] as const)
    it(`is rolled back at once if it is killed ${stage}`, async () => {
      const { reported, events } = await run(step(stages()[stage]))
      expect(reported).to.deep.equal(['web1 failed transaction conf'])
      const [failed] = events.flatMap((event) => (event.kind === 'failed' ? event.problem.details : []))
      expect(events.flatMap((event) => (event.kind === 'failed' ? event.problem.details : [])).join('\n')).to.match(
        /It was killed(\. The old files are restored and active| before it had changed anything)\./,
        failed,
      )
      expect(now()).to.deep.equal(OLD)
      expect((await run(step())).reported).to.deep.equal(['web1 changed transaction conf'])
      expect(now()).to.deep.equal(NEW)
    })

  /** Simulates a crash during the activation, which also ends the session. */
  const crashed = async () => {
    const crash = sh`kill -KILL $PPID $$`
    const { problems } = await run(step({ activate: once(crash) }))
    expect(problems).to.have.length(1)
    expect(await said(LEFT(rig.root))).to.match(/^[0-9a-f]{12}\n/)
  }

  it('is shown by a plan, which changes nothing', async () => {
    await crashed()
    const before = now()
    const { events } = await run(step(), 'plan')
    expect(events.flatMap((event) => (event.kind === 'recovered' ? [[event.label, event.outcome]] : []))).to.deep.equal(
      [['conf', 'planned']],
    )
    expect(now()).to.deep.equal(before)
    expect((await run(step())).problems).to.deep.equal([])
  })

  it('is rolled back by the next run before it reads the steps', async () => {
    await crashed()
    const { events, reported, summary } = await run(step())
    expect(events.flatMap((event) => (event.kind === 'recovered' ? [[event.label, event.outcome]] : []))).to.deep.equal(
      [['conf', 'restored']],
    )
    expect(reported).to.deep.equal(['web1 changed transaction conf'])
    expect(summary.hosts[0]).to.include({ changed: 1, failed: 0 })
    expect(now()).to.deep.equal(NEW)
    expect((await run(step())).reported).to.deep.equal(['web1 ok transaction conf'])
  })

  it('keeps files that were edited in the meantime', async () => {
    await crashed()
    writeFileSync(`${rig.root}/a`, 'by hand')
    await run(step())
    expect(await said(sh`cat /var/lib/provision/removed/*${`${rig.root}/a`}`)).to.include('by hand')
  })

  it('ends a run on the host if the rollback fails, and is rolled back when it is possible', async () => {
    await crashed()
    rmSync(`${rig.root}/a`)
    mkdirSync(`${rig.root}/a`)
    const { reported, problems, summary } = await run(step())
    expect([reported, summary.hosts[0]?.failed]).to.deep.equal([[], 1])
    expect(problems.join()).to.include('the transaction conf of an earlier run could not be rolled back')
    rmSync(`${rig.root}/a`, { recursive: true })
    expect((await run(step())).problems).to.deep.equal([])
    expect(now()).to.deep.equal(NEW)
  })

  it('keeps removed files like absent does', async () => {
    await run(step())
    expect(await said(sh`cat /var/lib/provision/removed/*/gone`)).to.include('old')
  })
})

const FILE = {
  type: 'file',
  mode: '0644',
  owner: 'root',
  group: 'root',
  size: 3,
  target: '',
  sha256: '',
} as const

/** The remains of runs. */
const LEFT = (root: string) => sh`ls -A /var/lib/provision/transactions 2>/dev/null
ls -d /run/provision-* 2>/dev/null; find ${root} -name '.*.provision-*'; cat ${`${root}/mixed`} 2>/dev/null; :`

interface Cutting {
  readonly root: string
  readonly id: string
  readonly script: Shell
}

/** Kills the script before its first command, then before its second, and so on until it ends, and recovers each time. */
function everyCut({ root, id, script }: Cutting): Shell {
  return sh`cd ${root}
n=0
while n=$((n + 1)); do
  rm -rf * && mkdir d && for old in a d/b gone in-force; do printf old > $old; done
  setsid -w bash -c ${`set -T; trap '[ $((n += 1)) -lt "$0" ] || kill -KILL 0' DEBUG\n${script.text}`} "$n" 2>/dev/null; code=$?
  said=$( { ${recoverTransaction({ id })}; } 2>&1)
  state=$(cat a d/b in-force; [ -e gone ] && cat gone || cat fresh link; ls -A)
  case $state in
  oldoldoldold*fresh*|oldoldoldold*link*|newnewnewnewnew*gone*) state="odd: $state" ;;
  oldoldoldold*) state=old ;;
  newnewnewnewnew*) state=new ;;
  *) state="mixed: $state" ;;
  esac
  echo $n "$said" $state
  [ "$code" != 0 ] || break
done`
}
