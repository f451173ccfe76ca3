import { expect } from 'chai'
import { choice, credential, flag, integer, optional, text } from '../../../src/model/inventory/fields.ts'
import { hosts, inventorySchema } from '../../../src/model/inventory/schema.ts'
import { flagValues, playbook } from '../../../src/model/playbook/playbook.ts'
import { wordsOf } from '../../support/words.ts'

const FLAGS = { release: text, batch: optional(integer({ min: 1 })), version: choice(15, 17), dryRun: flag }

describe('the flags of a playbook', () => {
  it('are parsed by their fields', () => {
    expect(flagValues(FLAGS, { release: '42', batch: '3', version: '17', dryRun: true })).to.deep.equal({
      release: '42',
      batch: 3,
      version: 17,
      dryRun: true,
    })
  })

  it('may be missing if they are optional or switches', () => {
    expect(flagValues(FLAGS, { release: 'a', version: '15' })).to.deep.equal({
      release: 'a',
      version: 15,
      dryRun: false,
    })
  })

  it('report all invalid values at once, with their names on the command line', () => {
    expect(() => flagValues(FLAGS, { batch: 'four', version: '16', dryRun: 'perhaps' }))
      .to.throw('The flags do not fit')
      .with.property('details')
      .that.deep.equals([
        '--release: is missing; it should be a text',
        '--batch: should be a whole number ≥ 1, got "four"',
        '--version: should be one of 15, 17, got "16"',
        '--dry-run: should be true or false, got "perhaps"',
      ])
  })

  it('cannot be secrets, since everyone on the machine can read a command line', async () => {
    const flags = { token: optional(credential) }
    expect(
      await wordsOf(() => playbook(inventorySchema({}), () => [], { flags })),
    ).to.equal(`error: --token would be a secret, and everyone on the machine can read a command line
   Give it in the inventory: secret.env(…), secret.age(…) or secret.prompt(…).`)
  })

  it('are passed to the plays', () => {
    const site = inventorySchema({ web: hosts() })
    const seen: unknown[] = []
    const deploy = playbook(
      site,
      (_values, { release, batch }) => {
        const typed: readonly [string, number | undefined] = [release, batch]
        seen.push(typed)
        return []
      },
      { description: 'Deploys a release.', flags: { release: text, batch: optional(integer()) } },
    )
    const values = { web: { name: 'web', hosts: [], without: () => [], only: () => expect.fail() } }
    deploy.plays(values, { release: '42' })
    expect(seen).to.deep.equal([['42', undefined]])
    expect(() => deploy.plays(values)).to.throw('--release: is missing')
  })
})
