import { join } from 'node:path'
import { expect } from 'chai'
import { compilerErrors } from '../../../src/cli/load/compiler.ts'
import { thrown } from '../../transport/helpers.ts'
import { Project } from '../project.ts'

describe('the TypeScript compiler', () => {
  let project: Project
  before(() => {
    project = new Project()
  })
  after(() => project.remove())

  const run = (script: string) =>
    compilerErrors(project.write('tsc.cjs', script), join(project.directory, 'tsconfig.json'))

  it('has found nothing if it exits with 0', async () => {
    expect(await run('process.exit(0)')).to.deep.equal([])
  })

  it('reports errors with their place', async () => {
    const errors = await run(
      `console.log("a.ts:2:3 - error TS2322: Type 'A' is not assignable to type 'B'.\\n"); process.exit(2)`,
    )
    expect(errors).to.deep.equal([
      {
        file: join(project.directory, 'a.ts'),
        line: 2,
        column: 3,
        message: "Type 'A' is not assignable to type 'B'.",
      },
    ])
  })

  it('that fails for another reason does not count as success', async () => {
    const problem = await thrown(run(`console.error('out of memory'); process.exit(134)`))
    expect(problem).to.deep.include({ message: 'The TypeScript compiler failed', details: ['out of memory'] })
  })
})
