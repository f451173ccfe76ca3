import { expect } from 'chai'
import { inventory } from '../../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../../src/model/inventory/schema.ts'
import { localTime, policy, refusedBy } from '../../../src/model/policy/policy.ts'
import { lift, waive } from '../../../src/model/policy/waiver.ts'
import { Problem } from '../../../src/model/problem.ts'
import { Secret } from '../../../src/shell/secret.ts'

const NEVER = policy('never', ({ changes }) => changes)
const schema = inventorySchema({ web: hosts() })
const given = { web: { hosts: { web1: { address: '127.0.0.1' } } } }
const problemOf = (body: () => unknown): Problem => {
  try {
    body()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('a policy', () => {
  const input = { changes: [], at: new Date(0), mode: 'plan' } as const

  it('allows everything with false, null, undefined and an empty list', () => {
    for (const nothing of [false, null, undefined, []] as const)
      expect(
        refusedBy(
          policy('a', () => nothing),
          input,
        ),
      ).to.deep.equal([])
  })

  it('is an error with its place if the rule fails or returns something else', () => {
    const failing = policy('it fails', () => {
      throw new Error('no calendar')
    })
    const { message, where } = problemOf(() => refusedBy(failing, input))
    expect(message).to.equal('policy "it fails": no calendar')
    expect(where).to.have.property('file', import.meta.filename)
    for (const wrong of [true, 'no', [{}], Promise.resolve([])]) {
      const rule = policy('odd', () => wrong as unknown as false)
      const { message, next } = problemOf(() => refusedBy(rule, input))
      expect(message).to.equal('policy "odd" returned a value that is not a list of its changes')
      expect(next).to.include('A rule cannot be async.')
    }
  })

  it('knows the time of day in a time zone, also when its clock changes', () => {
    expect(localTime(new Date('2026-01-05T08:30:00Z'), 'Europe/Berlin')).to.deep.equal({
      ...{ weekday: 1, hour: 9, minute: 30 },
    })
    expect(localTime(new Date('2026-07-05T22:30:00Z'), 'Europe/Berlin')).to.include({ weekday: 1, hour: 0 })
    expect(() => localTime(new Date(0), 'Europe/Berlni')).to.throw(RangeError)
  })
})

describe('a waiver', () => {
  it('ends with its day in UTC, or at its time', () => {
    const end = (until: string) => waive(NEVER, { until, reason: 'a reason' }).until.toISOString()
    expect(end('2026-12-24')).to.equal('2026-12-24T23:59:59.999Z')
    expect(end('2026-12-24T18:00+01:00')).to.equal('2026-12-24T17:00:00.000Z')
  })

  it('is rejected without a valid end and without a reason', () => {
    for (const until of ['tomorrow', '2026-12-24T18:00', '2026-02-30', '2026-13-01', ''])
      expect(problemOf(() => waive('never', { until, reason: 'a reason' })).message).to.equal(
        `waive('never'): "${until}" is not the end of a waiver`,
      )
    const { message } = problemOf(() => lift('file /etc/a', { until: '2026-12-24', reason: ' ' }))
    expect(message).to.equal(`lift('file /etc/a'): the reason of the waiver is missing`)
  })

  it('is part of an inventory, which rejects unknown policies and hosts, and names that are not unique', () => {
    const until = { until: '2026-12-24', reason: 'a reason' }
    const { details } = problemOf(() =>
      inventory(schema, given, {
        policies: [NEVER, policy('never', () => false)],
        waivers: [waive('nevver', until), lift('file /etc/a', { ...until, hosts: ['web', 'web1', 'wbe2'] })],
      }),
    )
    expect(details).to.deep.equal([
      'policies: two policies have the name "never"',
      'waivers: there is no policy "nevver". Did you mean "never"?',
      'waivers: there is no host or group "wbe2". Did you mean "web1" or "web"?',
    ])
    const good = inventory(schema, given, { policies: [NEVER], waivers: [waive(NEVER, until)] })
    expect(good.waivers).to.have.length(1)
    expect(inventory(schema, given).policies).to.deep.equal([])
  })
})

describe('code that must not ask for secrets', () => {
  it('gets an error from them, and only during its call', () => {
    const password = new Secret(() => 'horse battery')
    expect(() => Secret.sealed(() => password.reveal())).to.throw('secrets are not asked for here')
    expect(password.reveal()).to.equal('horse battery')
  })
})
