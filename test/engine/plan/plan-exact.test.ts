import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { play } from '../../../src/model/playbook/play.ts'
import { role } from '../../../src/model/playbook/role.ts'
import type { Steps } from '../../../src/model/playbook/steps.ts'
import { type Handler, handler } from '../../../src/model/resource/handler.ts'
import { read } from '../../../src/model/resource/read.ts'
import { resource, type Step } from '../../../src/model/resource/step.ts'
import { directory } from '../../../src/resources/files/directory.ts'
import { file } from '../../../src/resources/files/file.ts'
import { link } from '../../../src/resources/files/link.ts'
import type { AbsolutePath } from '../../../src/resources/files/stat.ts'
import { command } from '../../../src/resources/system/command.ts'
import { type Shell, sh } from '../../../src/shell/sh.ts'
import { Dice } from '../../support/dice.ts'
import { stepResults, Tally } from '../../support/plan-and-run.ts'
import { ownRig, type Rig } from '../../support/rig.ts'

const ROUNDS = 80

/** Random sites in random states: known changes happen, excluded changes do not, and the plan marks all others as deferred. */
describe('a plan', () => {
  const rig = ownRig()

  it(`is what the next run does, over ${ROUNDS} random states of a host`, async function () {
    this.slow('20s')
    const tally = new Tally()
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const steps = randomSite(rig, new Dice(seed))
      const plays = () => [play('all', { hosts: { hosts: [HOST] } }, () => steps)]
      const planned = stepResults((await rig.run(() => plays(), { mode: 'plan' })).events)
      const ran = await rig.run(() => plays())
      expect(ran.problems, `seed ${seed}`).to.deep.equal([])
      expect(tally.compare(planned, stepResults(ran.events)), `seed ${seed}`).to.deep.equal([])
      expect((await rig.run(() => plays())).summary.hosts[0]?.changed, `seed ${seed}: a second run`).to.equal(0)
    }
    // Without these the expectations above could pass for trivial plans.
    expect(tally.known).to.be.greaterThan(25)
    expect(tally.ruledOut).to.be.greaterThan(25)
    expect(tally.surprises, 'steps whose fate only the run knew').to.be.greaterThan(0)
  })

  describe('with a deferred step', () => {
    /** The command is in the declared state. After the new source it copies again and runs the additional script. */
    const copies = (more: Shell) => [
      file(`${rig.root}/source`, 'new', rig.own),
      command('copy', sh`cat ${`${rig.root}/source`} > ${`${rig.root}/copy`}; ${more}`, {
        unless: sh`cmp -s ${`${rig.root}/source`} ${`${rig.root}/copy`}`,
        notify: handler('note', sh`touch ${`${rig.root}/reported`}`),
      }),
    ]
    const compared = async (...plays: readonly Steps[]) => {
      for (const name of ['source', 'copy', 'wrong', 'right'])
        writeFileSync(`${rig.root}/${name}`, name === 'right' ? 'right' : 'old', { mode: 0o644 })
      const make = () => plays.map((steps, i) => play(`${i}`, { hosts: { hosts: [HOST] } }, () => steps))
      const plan = await rig.run(make, { mode: 'plan' })
      const ran = await rig.run(make)
      expect([plan.problems, ran.problems]).to.deep.equal([[], []])
      const tally = new Tally()
      expect(tally.compare(stepResults(plan.events), stepResults(ran.events))).to.deep.equal([])
      return tally
    }

    it('defers the steps that it may change', async () => {
      const wrong = file(`${rig.root}/wrong`, 'right', rig.own)
      const right = file(`${rig.root}/right`, 'right', rig.own)
      const puts = sh`printf right > ${wrong.name}; printf wrong > ${right.name}`
      expect((await compared([...copies(puts), wrong, right])).surprises).to.equal(3)
    })

    it('defers them in the next play too, where its handler may have run', async () => {
      const wrong = file(`${rig.root}/wrong`, 'right', rig.own)
      expect((await compared(copies(sh`printf right > ${wrong.name}`), wrong)).surprises).to.equal(2)
    })

    it('does not reject a problem that it may solve', async () => {
      const solved = link(`${rig.root}/wrong/a`, { target: 'b' })
      const within = directory(`${rig.root}/wrong`, rig.own)
      const puts = sh`rm ${within.name}; mkdir ${within.name}`
      await compared([...copies(puts), within, solved])
    })
  })
})

const HOST = { name: 'web1', group: 'web', address: '127.0.0.1' }

/** Some steps on paths, some of which exist, right or wrong; some commands change the targets of other steps. */
function randomSite(rig: Rig, dice: Dice): readonly Steps[] {
  const base = rig.empty()
  const { chance } = dice
  const one = <T>(...all: readonly T[]): T => dice.one(...all)
  const note: Handler = handler(`note ${base}`, sh`echo reported >> ${base}/reported`)
  const steps = Array.from({ length: 3 + Math.floor(chance() * 8) }, (_, i): Step => {
    const path = `${base}/${i}` as const
    const notify = chance() < 0.3 ? { notify: note } : {}
    const kind = one(
      ...(['file', 'file', 'directory', 'link', 'command', 'meddler', 'meddler', 'part', 'part'] as const),
      ...(['copy', 'copy', 'newer', 'needless', 'lister'] as const),
    )
    if (kind === 'copy' || kind === 'newer' || kind === 'needless') return asking(kind, base, i, chance)
    if (kind === 'lister')
      return lister({ of: Array.from({ length: i }, (_, j) => `${base}/${j}`), at: `${path}.list` }, notify)
    if (kind === 'part') {
      if (chance() < 0.3) writeFileSync(path, '')
      return part({ path }, notify)
    }
    if (kind === 'file') {
      if (chance() < 0.6) writeFileSync(path, one('right', 'wrong'), { mode: 0o644 })
      return file(path, 'right', { ...rig.own, ...notify })
    }
    if (kind === 'directory') {
      if (chance() < 0.5) mkdirSync(path, { mode: one(0o755, 0o700) })
      return directory(path, { ...rig.own, ...notify })
    }
    if (kind === 'link') {
      if (chance() < 0.5) symlinkSync(one('right', 'wrong'), path)
      return link(path, { target: 'right', ...notify })
    }
    // The plan cannot know the effect on the neighbour.
    const neighbour = `${base}/${i + 1}`
    const meddles =
      kind === 'meddler' ? sh`[ ! -f ${neighbour} ] || printf ${one('right', 'other')} > ${neighbour}; ` : sh``
    if (chance() < 0.5) writeFileSync(`${path}.done`, '')
    return command(`do ${path}`, sh`${meddles}touch ${path}.done`, {
      creates: `${path}.done`,
      ...notify,
    })
  })
  return steps.map((step) => role(one('a', 'b', 'c'), () => [step])({}))
}

/** A command whose condition reads the target of an earlier step. */
function asking(kind: 'copy' | 'newer' | 'needless', base: AbsolutePath, i: number, chance: () => number): Step {
  const source = `${base}/${Math.floor(chance() * Math.max(1, i))}`
  const copy = `${base}/${i}.copy`
  // It is often in the declared state, so that only the earlier step decides.
  const there = statSync(source, { throwIfNoEntry: false })
  if (chance() < 0.7) writeFileSync(copy, there?.isFile() ? readFileSync(source) : '')
  if (kind === 'copy')
    return command(`copy ${i}`, sh`cat ${source} > ${copy} 2>/dev/null || : > ${copy}`, {
      unless: sh`[ -f ${copy} ] && { [ ! -f ${source} ] || cmp -s ${source} ${copy}; }`,
    })
  if (kind === 'newer')
    return command(`rebuild ${i}`, sh`touch ${copy}`, {
      unless: sh`[ -e ${copy} ] && { [ ! -e ${source} ] || [ ! ${source} -nt ${copy} ]; }`,
    })
  return command(`need ${i}`, sh`touch ${copy}`, { unless: sh`[ -e ${source} ] || [ -e ${copy} ]` })
}

/** A custom resource whose script reads the targets of all earlier steps. */
const lister = resource<{ readonly of: readonly string[]; readonly at: string }, boolean>('list', {
  id: ({ at }) => at,
  affects: 'itself',
  read: ({ of, at }) => read(sh`ls -d ${[...of, '/']} 2>/dev/null | cmp -s - ${at}`, ({ code }) => code === 0),
  diff: (_params, same) => (same ? undefined : { action: 'run', fields: [] }),
  apply: ({ of, at }) => [sh`ls -d ${[...of, '/']} > ${at} 2>/dev/null; true`],
})

/** Like packages: one call applies several, so that a later one may move before other steps. */
const part = resource<{ readonly path: AbsolutePath }, boolean>('part', {
  id: ({ path }) => path,
  read: ({ path }) => read(sh`test -e ${path}`, ({ code }) => code === 0),
  diff: (_params, have) => (have ? undefined : { action: 'install', fields: [] }),
  apply: ({ path }) => [sh`touch ${path}`],
  pool: {
    name: 'parts',
    items: ({ path }) => [path],
    apply: (paths) => [{ script: sh`touch ${paths}` }],
    prefetch: () => sh`:`,
  },
})
