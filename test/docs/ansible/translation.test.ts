import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from '../../architecture/files.ts'
import { BEHAVIOURS } from './behaviours.ts'
import { expressedTasks, share, TASKS, TOTAL, taskTable } from './tasks.ts'

const PAGE = readFileSync(join(ROOT, 'docs/from-ansible.md'), 'utf8')

describe('the translation of Ansible', () => {
  it('counts each resource task of the repositories once', () => {
    expect(TASKS.reduce((sum, { tasks }) => sum + tasks, 0)).to.equal(TOTAL)
    for (const { what, tasks, expressed } of TASKS) expect(Math.abs(expressed), what).to.be.at.most(Math.abs(tasks))
  })

  it('has its table and its sum in the docs', () => {
    expect(PAGE, 'copy taskTable() into docs/from-ansible.md').to.include(taskTable())
    expect(PAGE).to.include(
      `${expressedTasks().toLocaleString('en-US')} of ${TOTAL.toLocaleString('en-US')} tasks (${share()} %)`,
    )
  })

  it('has a test for each behaviour that can be expressed, and counts those that cannot', () => {
    expect(BEHAVIOURS).to.have.length(81)
    expect(new Set(BEHAVIOURS.map(({ what }) => what)).size).to.equal(81)
    const missing = BEHAVIOURS.flatMap(({ what, test }) => {
      if (!test) return []
      const [file, title] = test
      const text = readFileSync(join(ROOT, file), 'utf8')
      return text.includes(`'${title}'`) ? [] : [`${what}: ${file} has no test "${title}"`]
    })
    expect(missing).to.deep.equal([])
    const expressed = BEHAVIOURS.filter(({ test }) => test)
    expect(expressed.length).to.be.at.least(65)
    expect(PAGE).to.include(`${expressed.length} of these 81 behaviours`)
    for (const { what } of BEHAVIOURS.filter(({ test }) => !test)) expect(PAGE).to.include(what)
  })
})
