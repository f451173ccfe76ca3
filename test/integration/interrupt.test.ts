import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { ownLab, type provision, ROOT } from './support.ts'

const LAB = 'test-interrupt'
const KILLS = 6

/** A run that is killed at any moment, and the next run. */
describe('a run that is interrupted, on real hosts', function () {
  this.slow('10s')
  const own = ownLab(LAB, ['lb1', 'web1', 'web2'], () => ({
    'stack.ts': STACK,
    'inventory.ts': INVENTORY,
    'playbook.ts': PLAYBOOK,
  }))

  const words = () => own.words('--output', 'lines')
  const rerun = (version: string) => own.run(['--output', 'lines'], { VERSION: version })

  /** Starts a run, and interrupts it after a while. */
  const begun = (version: string): Begun => {
    let text = ''
    const run = spawn('node', [`${ROOT}/bin/provision.js`, ...words()], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1', LAB, VERSION: version },
    })
    for (const stream of [run.stdout, run.stderr])
      stream?.on('data', (chunk: Buffer) => {
        text += String(chunk)
      })
    return { run, text: () => text, closed: once(run, 'close') }
  }
  const waitForText = async ({ run, text }: ReturnType<typeof begun>, word: string) => {
    while (!text().includes(word) && run.exitCode === null) await pause(20)
  }

  /** Reads what a run must not leave on a host. */
  const remains = async () => {
    const found = await Promise.all(
      own.lab.hosts.map(async ({ name }) => [name, (await own.lab.exec(name, REMAINS)).stdout] as const),
    )
    return Object.fromEntries(found.filter(([, text]) => text !== ''))
  }
  const versions = async () =>
    Promise.all(
      ['web1', 'web2'].map(
        async (name) => (await own.lab.exec(name, 'cat /srv/version /srv/in-force /srv/reloaded')).stdout,
      ),
    )

  it('converges and leaves no drained server, no lock and no file, at whatever point the controller was killed', async () => {
    const whole = await rerun('0')
    expect(whole.code, whole.text).to.equal(0)
    const drained: string[] = []
    for (let i = 1; i <= KILLS; i++) {
      const cut = begun(`${i}`)
      await waitForText(cut, KILL_POINTS[i % KILL_POINTS.length] ?? '')
      await pause(i * 70)
      cut.run.kill('SIGKILL')
      await cut.closed
      drained.push((await own.lab.exec('lb1', 'ls /run/drained 2>/dev/null')).stdout.trim() || '-')
      const { code, text } = await eventuallyFree(() => rerun(`${i}`))
      expect(code, `${text}\n--- after\n${cut.text()}`).to.equal(0)
      expect(await versions()).to.deep.equal([`${i}${i}${i}`, `${i}${i}${i}`])
      expect(await remains(), cut.text()).to.deep.equal({})
    }
    console.log(`    drained when the controller was killed: ${drained.join(', ')}`)
    expect(drained.some((names) => names !== '-')).to.equal(true)
  })

  it('finishes the current step at the first Ctrl-C, undrains, releases the locks and reports it', async () => {
    const cut = begun('a')
    await waitForText(cut, 'web1 … command work')
    cut.run.kill('SIGINT')
    const [code] = await cut.closed
    expect(code, cut.text()).to.equal(130)
    expect(cut.text())
      .to.match(/^web1 ✓ command work/m)
      .and.match(/web1 .*undrain: web/)
      .and.match(/error: web1: stopped between two steps/)
      .and.match(/To continue.*: provision resume/)
    expect((await own.lab.exec('lb1', 'ls /run/drained')).stdout).to.equal('')
    expect((await own.lab.exec('web1', LOCKED)).stdout).to.equal('')
    expect((await rerun('a')).code).to.equal(0)
    expect(await versions()).to.deep.equal(['aaa', 'aaa'])
  })

  it('stops at once at the second Ctrl-C; the next run repairs the rest', async () => {
    const cut = begun('b')
    await waitForText(cut, 'web1 … command work')
    cut.run.kill('SIGINT')
    await pause(30)
    cut.run.kill('SIGINT')
    const [code] = await cut.closed
    expect(code).to.equal(130)
    const { code: again, text } = await eventuallyFree(() => rerun('b'))
    expect(again, text).to.equal(0)
    expect(text).to.match(/web1 .*undrain: web.* \(pending since an earlier run\)/)
    expect(await versions()).to.deep.equal(['bbb', 'bbb'])
    expect(await remains()).to.deep.equal({})
  })
})

interface Begun {
  readonly run: ChildProcess
  readonly text: () => string
  /** Its exit status. It may have ended before a test waits for it. */
  readonly closed: Promise<readonly unknown[]>
}

/** The run on the host releases its lock once the current command ends; an operator would wait for that as well. */
async function eventuallyFree(run: () => ReturnType<typeof provision>): ReturnType<typeof provision> {
  for (;;) {
    const ended = await run()
    if (!ended.text.includes('is locked by')) return ended
    await pause(200)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

/** The output after which the run is killed, at once or a little later. */
const KILL_POINTS = [
  '',
  'web1 · drain: web',
  'web1 ✓ command work',
  'web1 ✓ transaction',
  'undrain: web',
  'web2 · drain: web',
]

const LOCKED = `flock -n /run/provision.lock true || echo locked`
const REMAINS = `${LOCKED}
ls -A /run/drained /var/lib/provision/pending-handlers /var/lib/provision/drains /var/lib/provision/transactions 2>/dev/null | grep -v ':$' | grep .
find /etc /srv /run /tmp -xdev -name '*provision*' ! -name provision.lock ! -path '/run/systemd/*'`

const STACK = `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ lb: hosts(), web: hosts() })
`

const INVENTORY = `
import { inventory } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'
const lab = openLab(process.env.LAB)
const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
export default inventory(site, { lb: { hosts: { lb1: at('lb1') } }, web: { hosts: { web1: at('web1'), web2: at('web2') } } })
`

const PLAYBOOK = `
import { drain, command, runOnEach, file, handler, type Host, play, playbook, sh, transaction } from 'provision-ts'
import { site } from './stack.ts'
const version = process.env.VERSION ?? ''
const reload = handler('reload', sh\`sleep 0.1; cp /srv/version /srv/reloaded\`)

export default playbook(site, ({ lb, web }) => [
  play(
    'web',
    {
      hosts: web,
      maxUnavailable: 1,
      drain: drain<Host>('web', {
        drain: ({ name }) => runOnEach(lb, sh\`mkdir -p /run/drained && touch /run/drained/\${name}; sleep 0.1\`),
        undrain: ({ name }) => runOnEach(lb, sh\`sleep 0.1; rm -f /run/drained/\${name}\`),
      }),
    },
    () => [
      command('work', sh\`sleep 0.4; touch /run/worked-\${version}\`, { creates: \`/run/worked-\${version}\` }),
      file('/srv/version', version, { notify: reload }),
      transaction('in force', [file('/srv/in-force', version)], { activate: handler('activate', sh\`sleep 0.2\`) }),
      command('rest', sh\`sleep 0.2; touch /run/rested-\${version}\`, { creates: \`/run/rested-\${version}\` }),
    ],
  ),
])
`
