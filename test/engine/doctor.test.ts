import { expect } from 'chai'
import { controllerClock } from '../../src/cli/controller.ts'
import { doctor, offBy } from '../../src/engine/doctor.ts'
import type { Purpose } from '../../src/engine/fleet.ts'
import { inventory } from '../../src/model/inventory.ts'
import { hosts, stack } from '../../src/model/stack.ts'
import type { Finding } from '../../src/model/verification.ts'
import type { Session } from '../../src/transport/session.ts'
import { ownRig } from '../support/rig.ts'

describe('the doctor', () => {
  const rig = ownRig()

  const at = (name: string, last: number) => ({ hosts: { [name]: { address: `127.0.0.${last}` } } })

  it('asks each host once, be it in two groups, in one round trip and one more for what is not well, and only looks', async () => {
    const sessions: Session[] = []
    const purposes: Purpose[] = []
    const site = stack({ web: hosts(), app: hosts(), db: hosts() })
    const both = at('one', 1)
    const { findings, unreachable } = await doctor(
      { inventory: inventory(site, { web: both, app: both, db: at('two', 2) }) },
      async (host, purpose) => {
        purposes.push(purpose)
        const opened = await rig.open(host, purpose)
        sessions.push(opened.session)
        return opened
      },
    )
    expect([unreachable.size, purposes]).to.deep.equal([0, ['look', 'look']])
    const ill = new Set(findings.flatMap(({ about, outcome }) => (outcome === 'held' ? [] : [about])))
    expect(sessions.map(({ trips }) => trips)).to.deep.equal(
      ['one', 'two'].map((name) => (ill.has(name) ? 2 : 1)),
    )
    const seen = findings.filter(({ about }) => about === 'one')
    expect(seen.filter(({ label }) => label === 'clock')).to.have.length(1)
    expect(Object.fromEntries(seen.map(({ label, said }) => [label, said]))).to.include({ clock: 'right' })
    expect(seen.find(({ label }) => label === 'disk')?.said).to.match(/^\d+ (GiB|MiB) free in \//)
  })

  it('has no lines for the parts of a host that nobody reached', async () => {
    const site = stack({ web: hosts() })
    const { findings, unreachable } = await doctor(
      { inventory: inventory(site, { web: at('one', 1) }) },
      () => Promise.reject(new Error('no route to it')),
    )
    expect(findings).to.deep.equal([])
    expect([...unreachable.keys()]).to.deep.equal(['one'])
  })

  it('takes for the clock being off only what no delay on the way can explain', () => {
    expect(offBy({ now: 1_500, heard: 2_000 }, 1_000)).to.equal(0)
    expect(offBy({ now: 5_000, heard: 2_000 }, 1_000)).to.equal(3_000)
    expect(offBy({ now: 400, heard: 2_000 }, 1_000)).to.equal(-600)
  })

  it('takes the clock of this machine for the wrong one when no host agrees with it', () => {
    const clock = (outcome: Finding['outcome']): Finding => ({
      about: 'web1',
      label: 'clock',
      outcome,
      ms: undefined,
      problem: undefined,
    })
    const judged = (...outcomes: readonly Finding['outcome'][]) => controllerClock(outcomes.map(clock))
    expect(judged()).to.deep.equal([])
    expect(judged('failed', 'held')[0]).to.include({ outcome: 'held', said: 'agrees with 1 of 2 hosts' })
    expect(judged('failed')[0]).to.include({ outcome: 'held' })
    expect(judged('failed', 'failed')[0]?.problem?.message).to.equal(
      'No host agrees with the clock of this machine.',
    )
  })
})
