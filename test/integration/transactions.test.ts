import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { probe } from '../../src/model/playbook/probe.ts'
import { handler } from '../../src/model/resource/handler.ts'
import { absent } from '../../src/resources/files/absent.ts'
import { file } from '../../src/resources/files/file.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import { type Shell, sh } from '../../src/shell/sh.ts'
import { onLab, type Ran } from './lab-site.ts'
import { eventually, freshLab, NIGHTLY, noHosts } from './support.ts'

const LAB = 'test-transactions'

/** Two files that must match, a third one to remove, and a service that starts with the content of the first two. */
describe('a transaction that is interrupted on a real host', function () {
  this.slow('20s')
  let lab: Lab

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: ['web1'] })
    await on(`printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nExecStart=/bin/sh -c "cat /srv/t/a /srv/t/b > /srv/t/in-force; exec sleep infinity"\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/pair.service
systemctl daemon-reload; systemctl enable -q pair`)
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })
  beforeEach(async () => {
    await on(
      'rm -rf /srv/t /root/stop; mkdir /srv/t; cd /srv/t; printf old > a; printf old > b; printf old > gone; systemctl restart pair',
    )
    await eventually(async () => (await state()).endsWith('oldold'))
  })
  afterEach(async () => {
    if (!lab) return
    expect(
      await on(
        `ls -A /var/lib/provision/transactions; find /srv /run/provision-* -name '*provision*' 2>/dev/null || :`,
      ),
    ).to.equal('')
  })

  const on = async (command: string) => {
    const { code, stdout, stderr } = await lab.exec('web1', command)
    if (code !== 0) throw new Error(`${command}: ${stderr}`)
    return stdout
  }
  const state = () =>
    on('cd /srv/t; cat a b; [ ! -e gone ] || printf gone; [ ! -e fresh ] || printf fresh; echo; cat in-force || :')
  const [OLD, NEW] = ['oldoldgone\noldold', 'newnewfresh\nnewnew']

  interface Stages {
    readonly validate?: Shell
    readonly activate?: Shell
    readonly probe?: Shell
  }
  const step = (stages: Stages = {}) =>
    transaction(
      'pair',
      [file('/srv/t/a', 'new'), file('/srv/t/b', 'new'), file('/srv/t/fresh', 'new'), absent('/srv/t/gone')],
      {
        validate: sh`[ "$(cat /srv/t/a /srv/t/b)" = newnew ]; ${stages.validate ?? sh`:`}`,
        activate: handler('restart pair', sh`${stages.activate ?? sh`:`}`, sh`systemctl restart pair`),
        probe: probe('pair runs', sh`systemctl is-active -q pair; ${stages.probe ?? sh`:`}`),
      },
    )
  /** Hangs once. */
  const STOP = sh`[ -e /root/stop ] || { : > /root/stop; sleep 60; }`
  const stopped = () => eventually(async () => (await lab.exec('web1', '[ -e /root/stop ]')).code === 0)
  const recoveries = ({ events }: Ran) =>
    events.flatMap((event) => (event.kind === 'recovered' ? [`${event.label}: ${event.outcome}`] : []))

  async function converges(outcome: string): Promise<void> {
    const check = await onLab(lab, step(), 'plan')
    expect([recoveries(check), check.problems]).to.deep.equal([['pair: planned'], []])
    const next = await onLab(lab, step())
    expect([recoveries(next), next.problems, next.steps]).to.deep.equal([
      [`pair: ${outcome}`],
      [],
      ['changed transaction pair'],
    ])
    expect(await state()).to.equal(NEW)
    expect(await on('cat /var/lib/provision/removed/*/gone')).to.match(/old$/)
    const third = await onLab(lab, step())
    expect([recoveries(third), third.steps]).to.deep.equal([[], ['ok transaction pair']])
  }

  // Each one waits for the keepalive timeout.
  for (const [stage, stages, outcome] of [
    ['its activation', { activate: STOP }, 'restored'] as const,
    ...(NIGHTLY
      ? ([
          ['its checker', { validate: STOP }, 'unchanged'],
          ['its probe', { probe: STOP }, 'restored'],
        ] as const)
      : []),
  ])
    it(`by a power loss in ${stage} is rolled back by the next run, which then converges`, async () => {
      const running = onLab(lab, step(stages))
      await stopped()
      await lab.kill('web1')
      expect((await running).summary.hosts[0]).to.include({ unreachable: true })
      await lab.start('web1')
      await converges(outcome)
    })

  it('by its timeout is rolled back at once', async () => {
    const hanging = step({ activate: STOP })
    const { problems } = await onLab(lab, {
      ...hanging,
      apply: (have) => hanging.apply(have).map((one) => ({ ...one, timeout: '3s' })),
    })
    expect(problems.join()).to.match(
      /no end after 3\S* s, so it was killed(.|\n)*The old files are restored and active/,
    )
    expect(await state()).to.equal(OLD)
    expect((await onLab(lab, step())).problems).to.deep.equal([])
    expect(await state()).to.equal(NEW)
  })

  it('only by the end of its session continues, and the next run waits for it', async () => {
    const running = onLab(lab, step({ activate: sh`: > /root/stop; sleep 4` }))
    await stopped()
    await on(`kill -KILL "$(cut -d' ' -f1 /run/provision.lock)"`)
    expect((await running).problems).to.have.length(1)
    const next = await onLab(lab, step())
    expect([recoveries(next), next.problems]).to.deep.equal([[], []])
    expect(await state()).to.equal(NEW)
  })
})
