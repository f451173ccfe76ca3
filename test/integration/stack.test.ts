import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { accounted } from '../support/accounting.ts'
import { shareSite } from './provisioned.ts'
import { answers, ask, Desk, eventually, footprint, freshLab, noHosts, provision } from './support.ts'

const LAB = 'test-stack'
const SITE = ['--inventory', 'inventory/lab.ts']

/** The whole system on eight hosts that this test boots, from bare hosts to failures. Each test depends on those before it. */
describe('the site on real hosts', function () {
  this.slow('20s').bail(true)
  let lab: Lab
  let planned: readonly StepEvent[] = []
  const run = (...args: string[]) => provision([...SITE, ...args], { LAB })

  before(async function () {
    const why = noHosts()
    if (why) {
      console.log(`    not run: ${why}`)
      return this.skip()
    }
    lab = await freshLab({ name: LAB, log: (line) => console.log(`    ${line}`) })
  })

  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })

  it('plans on bare hosts to the end and changes nothing on them', async () => {
    const before = await footprint(lab)
    const { code, text } = await run('--check', '--output', 'json')
    expect(code, text).to.equal(2)
    planned = stepEvents(text)
    expect(new Set(planned.map(({ host }) => host)).size).to.equal(8)
    expect(await footprint(lab)).to.deep.equal(before)
  })

  it('converges from bare hosts', async () => {
    const { code, text, ms } = await run('--output', 'json')
    expect(code, text).to.equal(0)
    const changed = new Set(
      stepEvents(text)
        .filter(({ outcome }) => outcome === 'changed')
        .map(keyOf),
    )
    console.log(`    ${changed.size} steps changed in ${(ms / 1000).toFixed(1)} s`)

    const sure = planned.filter(({ outcome, known }) => outcome === 'planned' && known).map(keyOf)
    const excluded = planned.filter(({ outcome }) => outcome === 'ok').map(keyOf)
    expect(sure.length).to.be.greaterThan(8)
    expect(
      sure.filter((key) => !changed.has(key)),
      'planned for sure, and not done',
    ).to.deep.equal([])
    expect(
      excluded.filter((key) => changed.has(key)),
      'done, and not planned',
    ).to.deep.equal([])
  })

  it('changes nothing in a second run: no file and no process', async () => {
    const before = await footprint(lab)
    const { code, text } = await run()
    expect(code, text).to.equal(0)
    expect(text).to.match(/No changes: \d+ steps ok on 8 hosts\. .*at most 2 round trips per host/)
    expect(await footprint(lab)).to.deep.equal(before)
    expect((await run('--check')).code).to.equal(0)
  })

  it('starts at most 40 processes on each host when there is nothing to do, login included', async () => {
    const names = lab.hosts.map(({ name }) => name)
    const counted = await accounted(lab, names, async () => {
      const { code, text } = await run()
      expect(code, text).to.equal(0)
    })
    const programs = [...counted].map(([name, all]) => [name, all.map(({ program }) => program)] as const)
    console.log(`    ${programs.map(([name, all]) => `${name}: ${all.length}`).join(', ')}`)
    expect(programs.filter(([, all]) => all.length > 40 || all.length < 10)).to.deep.equal([])
  })

  it('serves the page, and answers from both app hosts through both web hosts', async () => {
    const page = await ask(lab, '/')
    expect(page.status).to.equal(200)
    expect(page.body).to.include('<title>')
    const seen = new Set<string>()
    for (let i = 0; i < 24; i++) {
      const { status, headers } = await ask(lab, '/api/whoami')
      expect(status).to.equal(200)
      seen.add(`${headers['x-web-host']} ${headers['x-served-by']}`)
    }
    expect([...seen].sort()).to.deep.equal(['web1 app1', 'web1 app2', 'web2 app1', 'web2 app2'])
  })

  it('stores a row, reads it back, and replicates it', async () => {
    const written = await ask(lab, '/api/notes', { method: 'POST', body: { text: 'remember me' } })
    expect(written.status).to.equal(201)
    const { id } = JSON.parse(written.body) as { id: number }
    expect((await ask(lab, `/api/notes/${id}`)).body).to.include('remember me')
    const query = `cd / && setpriv --reuid postgres --regid postgres --init-groups psql -AtXc 'select text, pg_is_in_recovery() from notes.note where id = ${id}' notes`
    await eventually(async () => (await lab.exec('db2', query)).stdout.trim() === 'remember me|t')
  })

  it('restricts the database and the inner tiers to their clients', async () => {
    const reaches = async (from: string, to: string, port: number) =>
      (await lab.exec(from, `timeout 2 bash -c 'exec 3<>/dev/tcp/${lab.host(to).address}/${port}'`)).code === 0
    const doors = await Promise.all([
      reaches('app1', 'db1', 5432),
      reaches('web1', 'db1', 5432),
      reaches('lb1', 'db1', 5432),
      reaches('web1', 'app1', 3000),
      reaches('lb1', 'app1', 3000),
      reaches('lb1', 'web1', 8080),
      reaches('app1', 'web1', 8080),
    ])
    expect(doors).to.deep.equal([true, false, false, true, false, true, false])
  })

  it('runs only its own services on each host', async () => {
    const mine: Readonly<Record<string, RegExp>> = {
      lb: /^(haproxy|keepalived)$/,
      web: /^(nginx|haproxy)$/,
      app: /^notes$/,
      db: /^postgresql@\d+-main$/,
    }
    const all = /^(haproxy|keepalived|nginx|notes|postgresql@\d+-main)$/
    for (const { name } of lab.hosts) {
      const { stdout } = await lab.exec(
        name,
        "systemctl list-units --type service --state running --plain --no-legend | awk '{ print $1 }'",
      )
      const running = stdout
        .split('\n')
        .map((line) => line.replace(/\.service$/, ''))
        .filter((unit) => all.test(unit))
      const own = mine[name.replace(/\d+$/, '')]
      expect(running.length, name).to.equal(/^(lb|web)/.test(name) ? 2 : 1)
      expect(
        running.every((unit) => own?.test(unit)),
        `${name}: ${running.join(' ')}`,
      ).to.equal(true)
    }
  })

  it('applies a saved plan, and rejects one if a host has changed since', async () => {
    const desk = new Desk()
    const plan = `${desk.directory}/plan.json`
    await lab.exec('web1', 'echo "# mine" >> /etc/nginx/conf.d/site.conf')
    expect((await provision(['plan', '--out', plan, ...SITE], { LAB })).code).to.equal(2)
    await lab.exec('web2', 'echo "# mine" >> /etc/nginx/conf.d/site.conf')
    const refused = await provision(['apply', plan], { LAB })
    expect(refused.code, refused.text).to.equal(64)
    expect(refused.text).to.include('web2: transaction nginx configuration has changed since')
    await provision(['plan', '--out', plan, ...SITE], { LAB })
    const applied = await provision(['apply', plan], { LAB })
    desk.remove()
    expect(applied.code, applied.text).to.equal(0)
    expect(applied.text).to.match(/^2 of \d+ steps changed on 8 hosts/m)
  })

  it('repairs only the parts that were changed by hand', async () => {
    const pid = (await lab.exec('web1', 'systemctl show -p MainPID --value nginx')).stdout
    await lab.exec('web1', 'echo "# mine" >> /etc/nginx/conf.d/site.conf')
    const { code, text } = await run()
    expect(code, text).to.equal(0)
    expect(text)
      .to.match(/^web1 ✓ transaction nginx configuration/m)
      .and.match(/^1 of \d+ steps changed on 8 hosts/m)
    expect((await lab.exec('web1', 'systemctl show -p MainPID --value nginx')).stdout, 'a reload, no restart').to.equal(
      pid,
    )
  })

  it('answers again after a power loss of the balancer that holds the address', async () => {
    const holds = async (name: string) =>
      (await lab.exec(name, `ip -4 addr show | grep -cF ${lab.vip}/`)).stdout.trim() === '1'
    const holder = (await holds('lb1')) ? 'lb1' : 'lb2'
    await lab.kill(holder)
    const ms = await eventually(() => answers(lab))
    console.log(`    the site answers ${(ms / 1000).toFixed(2)} s after the plug was pulled`)
    await lab.start(holder)
    await eventually(async () => (await holds('lb1')) && !(await holds('lb2')))
    await eventually(() => answers(lab))
  })

  it('still answers while a web host and an app host are off', async () => {
    await Promise.all([lab.kill('web1'), lab.kill('app1')])
    let silent = 0
    let longest = 0
    let since = performance.now()
    const end = since + 8_000
    while (performance.now() < end) {
      if (await answers(lab, '/api/whoami')) since = performance.now()
      else silent++
      longest = Math.max(longest, performance.now() - since)
    }
    console.log(`    ${silent} requests without an answer, none for at most ${(longest / 1000).toFixed(2)} s`)
    await eventually(() => answers(lab, '/api/notes'))
    await Promise.all([lab.start('web1'), lab.start('app1')])
  })

  it('changes nothing after all that', async () => {
    await eventually(async () => (await ask(lab, '/readyz').catch(() => undefined))?.status === 200)
    const { code, text } = await run()
    expect(code, text).to.equal(0)
    expect(text).to.include('No changes')
    await shareSite(lab)
  })
})

interface StepEvent {
  readonly play: string
  readonly host: string
  readonly step: { readonly kind: string; readonly name: string }
  readonly outcome: string
  readonly known?: boolean
}

/** The step events of a run with `--output json`. */
function stepEvents(text: string): readonly StepEvent[] {
  const events = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly kind: string })
  return events.filter(({ kind }) => kind === 'step') as unknown as readonly StepEvent[]
}

function keyOf({ play, host, step }: StepEvent): string {
  return `${play} · ${host} · ${step.kind} ${step.name}`
}
