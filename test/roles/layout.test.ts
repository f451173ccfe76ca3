import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from '../architecture/files.ts'

const REQUIRED = ['README.md', 'checks.ts', 'index.ts', 'params.ts']
const OPTIONAL = ['lib', 'resources', 'templates', 'templates.ts']

describe('each role', () => {
  const roles = readdirSync(join(ROOT, 'roles'), { withFileTypes: true }).filter((one) => one.isDirectory())

  it('is found', () => {
    expect(roles.map(({ name }) => name)).to.include.members([
      'app',
      'base',
      'patroni',
      'postgres-primary',
      'postgres-replica',
    ])
  })

  for (const { name } of roles)
    it(`has the same files: ${name}`, () => {
      const files = readdirSync(join(ROOT, 'roles', name))
      expect(files).to.include.members(REQUIRED)
      expect(files.filter((file) => ![...REQUIRED, ...OPTIONAL].includes(file))).to.deep.equal([])
    })
})
