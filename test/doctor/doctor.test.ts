import { expect } from 'chai'
import { controllerClock } from '../../src/doctor/controller.ts'
import { doctor, offBy } from '../../src/doctor/doctor.ts'
import type { Finding } from '../../src/model/check/verification.ts'
import { inventory } from '../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import type { Session } from '../../src/transport/session/session.ts'
import { type Programs, replacing, SILENT, SPEECHLESS } from '../support/checks.ts'
import { ownRig } from '../support/rig.ts'

describe('the doctor', () => {
  const rig = ownRig()

  const at = (name: string, last: number) => ({ hosts: { [name]: { address: `127.0.0.${last}` } } })

  it('queries each host once, even in two groups, with one more round trip for problems, and changes nothing', async () => {
    const sessions: Session[] = []
    const locks: boolean[] = []
    const site = inventorySchema({ web: hosts(), app: hosts(), db: hosts() })
    const both = at('one', 1)
    const { findings, unreachable } = await doctor(
      { inventory: inventory(site, { web: both, app: both, db: at('two', 2) }) },
      async (host, options) => {
        locks.push(options.lock)
        const opened = await rig.open(host, options)
        sessions.push(opened.session)
        return opened
      },
    )
    expect([unreachable.size, locks]).to.deep.equal([0, [false, false]])
    const ill = new Set(findings.flatMap(({ about, outcome }) => (outcome === 'passed' ? [] : [about])))
    expect(sessions.map(({ trips }) => trips)).to.deep.equal(['one', 'two'].map((name) => (ill.has(name) ? 2 : 1)))
    const seen = findings.filter(({ about }) => about === 'one')
    expect(seen.filter(({ label }) => label === 'clock')).to.have.length(1)
    expect(Object.fromEntries(seen.map(({ label, said }) => [label, said]))).to.include({ clock: 'right' })
    expect(seen.find(({ label }) => label === 'disk')?.said).to.match(/^\d+ (GiB|MiB) free in \//)
  })

  it('has no lines for the parts of a host that were not read', async () => {
    const site = inventorySchema({ web: hosts() })
    const { findings, unreachable } = await doctor({ inventory: inventory(site, { web: at('one', 1) }) }, () =>
      Promise.reject(new Error('no route to it')),
    )
    expect(findings).to.deep.equal([])
    expect([...unreachable.keys()]).to.deep.equal(['one'])
  })

  it('reports a wrong clock only if no delay explains it, and a right one only if the delay is short', () => {
    expect(offBy({ now: 1_500, from: 1_000, to: 2_000 })).to.equal(0)
    expect(offBy({ now: 5_000, from: 1_000, to: 2_000 })).to.equal(3_000)
    expect(offBy({ now: 700, from: 1_000, to: 1_500 })).to.equal(-300)
    expect(offBy({ now: 700, from: 1_000, to: 2_000 })).to.equal(undefined)
    expect(offBy({ now: 700, from: 2_000, to: 9_000 })).to.equal(-1_300)
    expect(offBy({ now: 1_500, from: 1_000, to: 4_000 })).to.equal(undefined)
    expect(offBy({ now: Number.NaN, from: 1_000, to: 2_000 })).to.equal(undefined)
  })

  const seen = async (programs: Programs, percent = 100) => {
    const { findings } = await doctor(
      { inventory: inventory(inventorySchema({ web: hosts() }), { web: at('one', 1) }) },
      replacing(rig, { programs, percent }),
    )
    return Object.fromEntries(
      findings.map(({ label, outcome, said, problem }) => [label, `${outcome}: ${problem?.message ?? said}`]),
    )
  }
  const SYSTEMD = '[ -d /run/systemd/system ] || mkdir -p /run/systemd/system; exec /bin/date "$@"'

  it('reports unknown for values that a program does not print, and ok only for values that were read back', async function () {
    if (!rig.machine.isPrivate) return this.skip()
    const mute = {
      df: SPEECHLESS,
      'dpkg-query': SPEECHLESS,
      sshd: SPEECHLESS,
      systemctl: SPEECHLESS,
      id: SPEECHLESS,
    }
    await seen({ date: SYSTEMD })
    const said = await seen(mute)
    expect(said).to.include({
      disk: 'unknown: df names no file system',
      inodes: 'unknown: df names no file system',
      runtime: 'unknown: df names no file system for /run',
      'apt and dpkg': 'unknown: dpkg-query names no package',
      systemd: 'unknown: systemd does not answer',
      sshd: 'unknown: it could not be asked',
    })
    expect(said['login and root']).to.equal('unknown: id does not tell the user')
    const silent = await seen({ df: SILENT, 'dpkg-query': SILENT, sshd: SILENT, systemctl: SILENT, id: SILENT }, 5)
    for (const label of ['disk', 'inodes', 'runtime', 'apt and dpkg', 'systemd', 'sshd', 'login and root'])
      expect(silent[label]).to.match(/^unknown: no answer within/)
  })

  it('reports root access only if the host confirms it, and a right clock only if the answer is quick', async () => {
    const id = (number: number) => `case $1 in -u) echo ${number} ;; *) echo someone ;; esac`
    expect((await seen({ id: id(1000) }))['login and root']).to.equal('failed: It is someone, not root.')
    expect((await seen({ id: id(0) }))['login and root']).to.match(/^passed: as .*someone$/)
    const late = await seen({ date: '/bin/date "$@"; sleep 2.5' })
    expect(late['clock']).to.equal('unknown: It took too long to tell its time.')
  })

  it('reports the clock of this machine as wrong if it differs from all hosts', () => {
    const clock = (outcome: Finding['outcome']): Finding => ({
      about: 'web1',
      label: 'clock',
      outcome,
      ms: undefined,
      problem: undefined,
    })
    const judged = (...outcomes: readonly Finding['outcome'][]) => controllerClock(outcomes.map(clock))
    expect(judged()).to.deep.equal([])
    expect(judged('failed', 'passed')[0]).to.include({ outcome: 'passed', said: 'agrees with 1 of 2 hosts' })
    expect(judged('failed')[0]).to.include({ outcome: 'passed' })
    expect(judged('failed', 'failed')[0]?.problem?.message).to.equal('No host agrees with the clock of this machine.')
  })
})
