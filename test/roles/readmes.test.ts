import { expect } from 'chai'
import { readmes } from '../../scripts/role-docs.js'

describe('the READMEs of roles', () => {
  it('have a table of params for each role of the web tiers', () => {
    expect(readmes().map(({ role }) => role)).to.include.members([
      'app',
      'base',
      'haproxy',
      'keepalived',
      'nginx',
    ])
  })

  for (const { role, now, wanted } of readmes())
    it(`tell of ${role} what its types say: node scripts/role-docs.js`, () => {
      expect(now).to.equal(wanted)
      // A param without words would be an empty cell.
      expect(/<!-- params[\s\S]*<!-- end -->/.exec(wanted)?.[0].replace(/^.*\n\n.*\n/, '')).not.to.match(
        /\| +\|$/m,
      )
    })
})
