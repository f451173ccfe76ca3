import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { ROOT } from '../architecture/files.ts'

interface Workflow {
  readonly on?: unknown
  readonly jobs?: Readonly<
    Record<string, { readonly steps?: readonly { readonly run?: string; readonly uses?: string }[] }>
  >
}

const FOLDER = join(ROOT, '.github/workflows')
const workflows = readdirSync(FOLDER).map((name) => ({
  name,
  text: readFileSync(join(FOLDER, name), 'utf8'),
}))
const recipes = [...readFileSync(join(ROOT, 'docs/ci.md'), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)].map(
  ([, text = '']) => text,
)

describe('the workflows', () => {
  for (const { name, text } of workflows) {
    it(`${name} is YAML with a trigger, and each step does something`, () => {
      const { on, jobs = {} } = parse(text) as Workflow
      expect(on).to.be.an('object')
      const steps = Object.values(jobs).flatMap((job) => job.steps ?? [])
      expect(steps).to.not.have.length(0)
      for (const step of steps) expect(step).to.satisfy((one: typeof step) => one.run !== undefined || one.uses)
    })

    it(`${name} runs scripts that package.json has`, () => {
      const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
      const used = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => script)
      expect(scripts).to.include.keys('test', ...used)
    })
  }

  it('run the test command on pushes and pull requests', () => {
    const test = workflows.find(({ name }) => name === 'test.yml')
    expect(Object.keys((parse(test?.text ?? '') as Workflow).on as object)).to.deep.equal(['push', 'pull_request'])
    expect(test?.text).to.include('.ci/run')
  })
})

describe('the recipes of docs/ci.md', () => {
  it('are YAML for GitHub Actions and GitLab', () => {
    expect(recipes).to.have.length(2)
    const [github, gitlab] = recipes.map((text) => parse(text) as Workflow & Readonly<Record<string, unknown>>)
    expect(Object.keys(github?.jobs ?? {})).to.deep.equal(['validate', 'plan', 'apply'])
    expect(gitlab).to.include.keys('validate', 'plan', 'apply')
  })

  it('validate, plan and apply with the same inventory', () => {
    for (const recipe of recipes)
      expect(
        [...recipe.matchAll(/npx provision (.*?--inventory "\$INVENTORY".*?)(?= \||>| 2>|$)/gm)].map(([, words = '']) =>
          words.trim(),
        ),
      ).to.deep.equal([
        'validate --inventory "$INVENTORY"',
        'plan --inventory "$INVENTORY" --markdown',
        '--inventory "$INVENTORY" --output plain',
      ])
  })
})
