import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { onLab, type Ran } from './lab-site.ts'
import { freshLab, noHosts } from './support.ts'
import { ACCOUNTS } from './system/accounts.ts'
import type { Case, Cases } from './system/case.ts'
import { DATABASES } from './system/databases.ts'
import { HOST } from './system/host.ts'
import { UNITS } from './system/units.ts'

const TABLES: Readonly<Record<string, Cases>> = { accounts: ACCOUNTS, host: HOST, units: UNITS, databases: DATABASES }

/** The tables to run, such as `KINDS=accounts`. */
const ONLY = process.env['KINDS']?.split(',')

for (const debian of [12, 13] as const)
  describe(`kinds of the system on Debian ${debian}`, function () {
    this.slow('20s')
    const name = `it-system-${debian}`
    let lab: Lab

    before(async function () {
      if (noHosts()) return this.skip()
      lab = await freshLab({ name, hosts: ['web1'], debian })
    })
    after(async () => {
      if (!noHosts()) await downLab(name)
    })

    const shell = async (script: string) => {
      const { stdout, stderr } = await lab.exec('web1', script)
      return { stdout: stdout.trim(), stderr }
    }
    const check = async ({ prepare, steps, plan, fails, look, shows }: Case) => {
      if (prepare !== undefined) await shell(prepare)
      const run = await onLab(lab, steps)
      if (fails !== undefined) expect(run.problems.join('\n')).to.include(fails)
      else {
        expect(run.problems).to.deep.equal([])
        if (plan) expect(changesOf(run)).to.deep.equal(plan)
        else expect(changesOf(run)).not.to.deep.equal([])
        const again = await onLab(lab, steps)
        expect([...again.problems, ...changesOf(again)], 'the second run').to.deep.equal([])
      }
      if (look === undefined) return
      const { stdout, stderr } = await shell(look)
      if (typeof shows === 'string') expect(stdout, stderr).to.equal(shows)
      else if (shows) expect(stdout, stderr).to.match(shows)
    }

    for (const [table, cases] of Object.entries(TABLES))
      describe(table, () => {
        for (const [title, one] of Object.entries(cases))
          it(title, async function () {
            if (ONLY && !ONLY.includes(table)) return this.skip()
            await check(one)
          })
      })
  })

/** The changes of a run, as a plan shows them. */
function changesOf({ events }: Ran): readonly string[] {
  return events.flatMap((event) =>
    event.kind === 'step' && event.outcome === 'changed'
      ? [`${event.difference.action} ${event.step.kind} ${event.step.name}`]
      : [],
  )
}
