import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { converge } from '../../src/testing/index.ts'
import { thrown } from '../transport/helpers.ts'
import { freshLab, noHosts } from './support.ts'
import { ACCOUNTS } from './system/accounts.ts'
import type { Case, Cases } from './system/case.ts'

const TABLES: Readonly<Record<string, Cases>> = { accounts: ACCOUNTS }

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
      const host = lab.host('web1')
      if (fails !== undefined) expect(String(await thrown(converge(steps, host)))).to.include(fails)
      else {
        const run = await converge(steps, host)
        if (plan) expect(run.plan).to.deep.equal(plan)
        else expect(run.plan).not.to.deep.equal([])
        expect((await converge(steps, host)).plan, 'the second run').to.deep.equal([])
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
