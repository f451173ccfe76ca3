import { expect } from 'chai'
import { Project } from '../../cli/project.ts'

const STACK = `import { hosts, playbook, inventorySchema, text, verification } from 'provision-ts'
const site = inventorySchema({ web: hosts(), domain: text, db: hosts() })`

describe('an inventory with another schema', function () {
  this.slow('5s')
  let project: Project

  before(() => {
    project = new Project({
      'playbooks/site.ts': `${STACK}\nexport default playbook(site, () => [])\n`,
      'playbooks/verify.ts': `${STACK}\nexport default verification(site, () => [])\n`,
      'inventory/small.ts': `import { hosts, inventory, inventorySchema } from 'provision-ts'
export default inventory(inventorySchema({ web: hosts() }), { web: { hosts: { web1: { address: '127.0.0.1' } } } })
`,
    })
  })
  after(() => project.remove())

  for (const [type, words] of [
    ['playbook', ['site', '--check']],
    ['verification', ['verify']],
  ] as const)
    it(`is rejected by a ${type}, which names the missing entries`, async () => {
      const { code, err } = await project.provision(...words, '-i', 'inventory/small.ts', '--no-type-check')
      expect(code).to.not.equal(0)
      expect(err.trimEnd()).to.equal(`error: The ${type} asks for domain, db, which the inventory does not have
   Give both the same schema, or take a ${type} that was made for this one.`)
    })
})
