import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { Desk, freshLab, noHosts } from '../integration/support.ts'
import { leaderIn, patchCluster } from './automatic-accidents.ts'
import { AUTOMATIC_FILES, AUTOMATIC_HOSTS, operateOn } from './automatic-site.ts'
import { type Accident, cutOff, deletions, during, frozen, pause } from './fast-failover-accidents.ts'

const LAB = 'test-fast-failover'

/** The option `fastFailover` on real hosts. `npm run proof:fast-failover` is the long version, with times. */
describe('fast failover of the database', function () {
  this.slow('60s').bail(true)
  let lab: Lab
  let desk: Desk
  const operate = (words: readonly string[], env = {}) => operateOn(lab, desk.directory, words, env)
  const run = async (fast: 'yes' | 'no', ...more: readonly string[]) => {
    const { code, text } = await operate([`${desk.directory}/playbook.ts`, ...more], { FAST: fast })
    expect(code, text).to.equal(0)
    return text
  }
  const verified = async () => (await operate(['verify', `${desk.directory}/verify.ts`], { FAST: 'yes' })).text
  const replaced = ({ moved, deleted, lost, acknowledged }: Accident) => {
    expect({ moved, deleted, lost }).to.deep.equal({ moved: true, deleted: 1, lost: 0 })
    expect(acknowledged.length).to.be.greaterThan(20)
  }

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: AUTOMATIC_HOSTS, debian: 13 })
    desk = new Desk()
    for (const [path, text] of Object.entries(AUTOMATIC_FILES)) desk.write(path, text)
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  it('is active after one run, and a second one changes nothing', async () => {
    await run('yes')
    expect(await run('yes')).to.include('No changes')
    expect(await verified()).to.match(/would notice the loss of the primary +passed/)
  })

  for (const time of ['', ' a second time'])
    it(`replaces a frozen primary, which does not resume its role${time}`, async () => {
      replaced(await frozen(lab))
    })

  it('replaces an isolated primary', async () => {
    replaced(await cutOff(lab))
  })

  it('deletes no key while failover is paused', async () => {
    const primary = await leaderIn(lab)
    await setPause(true)
    expect(await verified()).to.match(/would notice the loss of the primary +failed/)
    const { moved, deleted, lost } = await during(lab, 12, {
      begin: (host) => lab.freeze(host),
      end: (host) => lab.thaw(host),
    })
    expect({ moved, deleted, lost }).to.deep.equal({ moved: false, deleted: 0, lost: 0 })
    await setPause(null)
    expect(await leaderIn(lab)).to.equal(primary)
  })

  it('is removed when the option is off: Patroni waits for the lease', async () => {
    expect(await run('no')).to.include('fast failover')
    expect(await run('no')).to.include('No changes')
    expect(
      (await lab.exec('witness1', 'ls -d /etc/provision-fast-failover /usr/local/lib/provision-fast-failover')).code,
    ).to.not.equal(0)
    expect((await lab.exec('witness1', 'systemctl cat provision-fast-failover')).code).to.not.equal(0)
    const before = await deletions(lab)
    const { moved, lost } = await frozen(lab)
    expect({ moved, lost }).to.deep.equal({ moved: true, lost: 0 })
    expect(await deletions(lab)).to.equal(before)
  })

  /** Each Patroni reads the setting in its next loop. */
  async function setPause(value: true | null): Promise<void> {
    await patchCluster(lab, 'db1', { pause: value })
    await pause(6_000)
  }
})
