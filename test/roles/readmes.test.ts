import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readmes } from '../../scripts/role-docs.js'
import { ROOT } from '../architecture/files.ts'

/** The required headings of every README, in this order. Other headings are allowed between them. */
const HEADINGS = [
  'Purpose',
  'Parameters',
  'Files',
  'Behaviour on change',
  'Existing hosts',
  'Checks',
  'Known limitations',
]

describe('the README of each role', () => {
  const roles = readdirSync(join(ROOT, 'roles'), { withFileTypes: true })
    .filter((one) => one.isDirectory())
    .map(({ name }) => name)

  for (const role of roles)
    it(`has the role as title, and the same headings: ${role}`, () => {
      const text = readFileSync(join(ROOT, 'roles', role, 'README.md'), 'utf8')
      expect(text.split('\n')[0]).to.equal(`# ${role}`)
      const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading)
      expect(headings.filter((one) => HEADINGS.includes(one))).to.deep.equal(HEADINGS)
    })

  it('has a table of params', () => {
    expect(readmes().map(({ role }) => role)).to.include.members(roles)
  })

  for (const { role, now, wanted } of readmes())
    it(`has the params of its types: ${role}; npm run docs writes them`, () => {
      expect(now).to.equal(wanted)
      // A param without a description would be an empty cell.
      expect(/<!-- params[\s\S]*<!-- end -->/.exec(wanted)?.[0].replace(/^.*\n\n.*\n/, '')).not.to.match(/\| +\|$/m)
    })
})
