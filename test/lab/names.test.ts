import { expect } from 'chai'
import { byName, checkName } from '../../src/lab/base/paths.ts'
import { labSecret } from '../../src/lab/base/secrets.ts'
import { Guest } from '../../src/lab/hosts/guest.ts'
import { Problem } from '../../src/model/problem.ts'
import { wordsOf } from '../support/words.ts'

describe('names in a lab', () => {
  const hosts = [{ name: 'web1' }, { name: 'web2' }, { name: 'db1' }]

  it('find a host', () => {
    expect(byName(hosts, 'db1', 'demo')).to.equal(hosts[2])
  })

  it('that are mistyped suggest similar ones', async () => {
    expect(await wordsOf(() => byName(hosts, 'wbe1', 'demo'))).to.equal(`error: The lab "demo" has no host "wbe1".
   Did you mean "web1" or "web2" or "db1"?`)
  })

  it('that are unknown list all', () => {
    expect(() => byName(hosts, 'balancer', 'demo'))
      .to.throw(Problem)
      .with.property('next', 'It has web1, web2, db1.')
  })

  for (const name of ['Web1', '../demo', '', '1web', 'web_1', 'web1-', 'a'.repeat(33)]) {
    it(`rejects ${JSON.stringify(name)}`, async () => {
      expect(await wordsOf(() => checkName('host', name))).to.equal(`error: "${name}" is not a valid name of a host.
   Use at most 32 lower-case letters, digits and dashes, beginning with a letter.`)
    })
  }

  it('of a secret cannot leave its directory', async () => {
    expect(
      await wordsOf(() => labSecret('demo', '../key')),
    ).to.equal(`error: "../key" is not a valid name of a secret, which is a file name.
   Use letters, digits, dots, dashes and underscores.`)
  })

  it('of a host that is off rejects actions that need a running one', async () => {
    const guest = new Guest({ lab: 'demo', name: 'web1', address: '198.18.0.21' })
    expect(await wordsOf(() => guest.freeze())).to.equal(`error: "web1" is off.
   provision lab start web1`)
  })
})
