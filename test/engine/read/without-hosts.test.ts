import { expect } from 'chai'
import { promptSecrets } from '../../../src/engine/read/without-hosts.ts'
import { credential } from '../../../src/model/inventory/fields.ts'
import { inventory } from '../../../src/model/inventory/inventory.ts'
import { hosts, type InventoryValues, inventorySchema } from '../../../src/model/inventory/schema.ts'
import { type Play, play } from '../../../src/model/playbook/play.ts'
import { playbook } from '../../../src/model/playbook/playbook.ts'
import { role } from '../../../src/model/playbook/role.ts'
import { after } from '../../../src/model/playbook/steps.ts'
import { ask, askEach, mapAnswers } from '../../../src/model/resource/question.ts'
import { read } from '../../../src/model/resource/read.ts'
import { file } from '../../../src/resources/files/file.ts'
import { transaction } from '../../../src/resources/transaction/transaction.ts'
import { secret } from '../../../src/secrets/sources.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { sh } from '../../../src/shell/sh.ts'

const site = inventorySchema({ a: credential, b: credential, web: hosts(), db: hosts() })

describe('promptSecrets', () => {
  /** The names of the secrets that it asks for. */
  const asked = (plays: (values: InventoryValues<typeof site.entries>) => readonly Play[], limit?: string) => {
    const names: string[] = []
    const noted = (name: string) =>
      new Secret(() => {
        names.push(name)
        return `value of ${name}`
      })
    const given = inventory(site, {
      a: noted('a'),
      b: noted('b'),
      web: { hosts: { web1: { address: '10.0.0.1' }, web2: { address: '10.0.0.2' } } },
      db: { hosts: { db1: { address: '10.0.0.3' } } },
    })
    promptSecrets(given, playbook(site, plays), limit === undefined ? undefined : ({ group }) => group === limit)
    return names
  }
  const key = role('key', ({ value }: { readonly value: Secret }) => [file('/etc/key', value)])

  it('asks for the secrets that steps need, once, and for no others', () => {
    const plays = ({ a, web }: InventoryValues<typeof site.entries>) => [
      play('web', { hosts: web }, () => [key({ value: a }), file('/etc/other', secret.text`x ${a}`)]),
    ]
    expect(asked(plays)).to.deep.equal(['a'])
  })

  it('does not ask for secrets that only hosts outside of the limit need', () => {
    const plays = ({ a, b, web, db }: InventoryValues<typeof site.entries>) => [
      play('web', { hosts: web }, () => key({ value: a })),
      play('db', { hosts: db }, () => transaction('key', [file('/etc/key', b)], { validate: sh`true` })),
    ]
    expect(asked(plays, 'db')).to.deep.equal(['b'])
  })

  it('continues after roles that fail, and follows the answers of new hosts', () => {
    const empty = ask(
      'empty?',
      read(sh`ls /srv`, ({ stdout }) => stdout === ''),
    )
    const broken = role('broken', (_params: object) => {
      throw new Error('broken')
    })
    const plays = ({ a, b, web }: InventoryValues<typeof site.entries>) => [
      play('broken', { hosts: web }, () => [key({ value: a }), broken({})]),
      play('web', { hosts: web }, () =>
        after(
          mapAnswers(askEach(web, empty), (all) => all.every(({ answer }) => answer)),
          (fresh) => fresh && key({ value: b }),
        ),
      ),
    ]
    expect(asked(plays)).to.deep.equal(['b'])
  })
})
