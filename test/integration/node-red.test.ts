import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { Desk, eventually, freshLab, noHosts, provision, ROOT } from './support.ts'

const LAB = 'test-node-red'
const HOSTS = ['lb1', 'lb2', 'web1', 'app1', 'db1'] as const
const NAME = 'flows.test'

/** An application of others from npm, described by an inventory only. Each test depends on those before it. */
describe('Node-RED as the application of the stack', function () {
  this.slow('60s').bail(true)
  let lab: Lab
  let desk: Desk
  const run = (...words: readonly string[]) =>
    provision([...words, '-i', `${desk.directory}/inventory.ts`, '--no-type-check'], { LAB })
  const well = async (...words: readonly string[]) => {
    const { code, text } = await run(...words)
    expect(code, text).to.equal(0)
    return text
  }
  /** Runs curl on the web host, as a client of the virtual IP. */
  const curl = async (path: string, ...words: readonly string[]) => {
    const line = ['curl', '-sSk', '--resolve', `${NAME}:443:${lab.vip}`, ...words, `https://${NAME}${path}`]
    const { stdout, stderr } = await lab.exec('web1', line.map(quoted).join(' '))
    return stdout + stderr
  }

  before(async function () {
    if (noHosts()) return this.skip()
    execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit'], {
      cwd: join(ROOT, 'examples/node-red/app'),
      stdio: 'ignore',
    })
    desk = new Desk()
    desk.write('inventory.ts', INVENTORY)
    lab = await freshLab({ name: LAB, hosts: HOSTS })
  })
  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  it('is deployed by the site, and a second run changes nothing', async () => {
    await well('site')
    expect(await well('site')).to.match(/No changes: \d+ steps ok on 5 hosts/)
  })

  it('answers at the virtual IP, with its own pages and headers', async () => {
    const page = await curl('/', '-i')
    expect(page)
      .to.match(/^HTTP\/2 200/)
      .and.include('<title>Node-RED</title>')
    expect(page).not.to.match(/^content-security-policy/im)
  })

  it('runs a flow that a user deploys, also after a restart and a deploy', async () => {
    const answer = await curl(
      '/flows',
      '-X',
      'POST',
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify(FLOW),
    )
    expect(answer).to.equal('')
    await eventually(async () => (await curl('/greeting')) === 'hello from a flow')
    await lab.exec('app1', 'systemctl restart node-red')
    await eventually(async () => (await curl('/greeting')) === 'hello from a flow')
    await well('deploy', '--outage')
    await eventually(async () => (await curl('/greeting')) === 'hello from a flow')
  })

  it('has WebSockets through all tiers', async () => {
    const upgrade = await curl(
      '/comms',
      ...['-i', '--http1.1', '--max-time', '5', '-H', 'connection: upgrade', '-H', 'upgrade: websocket'],
      ...['-H', 'sec-websocket-version: 13', '-H', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='],
    )
    expect(upgrade).to.match(/^HTTP\/1\.1 101 /)
  })

  it('is checked by verify', async () => {
    expect(await well('verify')).to.include('GET /settings answers through the virtual IP')
  })
})

const INVENTORY = `
import { inventory, secret } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { authority } from 'provision-ts/pki'
import { siteSchema } from 'provision-ts/stack'
import { nodeRed } from '${ROOT}/examples/node-red/application.ts'
export default async () => {
  const lab = openLab(process.env.LAB)
  const ca = await authority(lab.directory + '/pki', { name: 'test' })
  const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
  const certificate = await ca.keyPair({ names: ['db1'], addresses: [at('db1').address] })
  return inventory(siteSchema, {
    domain: '${NAME}',
    application: nodeRed(secret.of(lab.secret('flows'))),
    vip: lab.vip + '/24',
    certificate: await ca.keyPair({ names: ['${NAME}'] }),
    authority: ca.certificate,
    updates: false,
    passwords: { replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: at('web1') } },
    app: { port: 1880, hosts: { app1: at('app1') } },
    db: { hosts: { db1: { ...at('db1'), seed: true, certificate } } },
  })
}
`

/** Answers GET /greeting. */
const FLOW = [
  { id: 'tab', type: 'tab', label: 'greeting' },
  { id: 'in', type: 'http in', z: 'tab', url: '/greeting', method: 'get', wires: [['text']] },
  { id: 'text', type: 'template', z: 'tab', field: 'payload', template: 'hello from a flow', wires: [['out']] },
  { id: 'out', type: 'http response', z: 'tab', wires: [] },
]

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
