import { expect } from 'chai'
import { type Ended, eventually, ownLab, ROOT } from './support.ts'

const LAB = 'test-rolling'

/** Clients of a load balancer while a run changes the servers behind it one by one and kills them during responses. */
describe('a rolling run under load, on real hosts', function () {
  this.slow('20s').bail(true)
  const own = ownLab(LAB, ['lb1', 'web1', 'web2'], () => ({
    'stack.ts': STACK,
    'inventory.ts': INVENTORY,
    'playbook.ts': PLAYBOOK,
  }))

  const run = (env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> => own.run(args, env)
  const states = async () =>
    (
      await own.lab.exec(
        'lb1',
        "echo 'show stat web 4 -1' | socat - /run/haproxy/admin.sock | awk -F, '!/^#/ && NF > 18 { print $2, $18 }'",
      )
    ).stdout.trim()

  /** Runs the body with eight clients without a pause, which start before it and stop after it. */
  const underLoad = async (body: () => Promise<Ended>) => {
    await own.lab.exec('lb1', LOAD)
    const ended = await body()
    const { stdout } = await own.lab.exec(
      'lb1',
      "touch /tmp/stop; while pgrep -f '[u]ntil .* /tmp/stop' >/dev/null; do sleep 0.1; done; cat /tmp/load.*; rm -f /tmp/load.* /tmp/stop",
    )
    const answers = stdout.trim().split('\n')
    return { ended, all: answers.length, failed: answers.filter((line) => line !== '200 0').length }
  }

  it('drains nothing if there is no balancer yet', async () => {
    const { code, text } = await run({ VERSION: '1', DRAIN: 'yes' })
    expect(code, text).to.equal(0)
    expect(text).to.not.include('backend web')
    expect(await states()).to.equal('web1 UP\nweb2 UP')
  })

  it('loses no request if each server is drained before its change', async () => {
    const { ended, all, failed } = await underLoad(() => run({ VERSION: '2', DRAIN: 'yes' }))
    console.log(`    with draining: ${failed} of ${all} requests failed, ${(ended.ms / 1000).toFixed(1)} s`)
    expect(ended.code, ended.text).to.equal(0)
    expect(ended.text).to.match(
      /web1 .*drain: backend web[\s\S]*web1 .*undrain: backend web[\s\S]*web2 .*drain: backend web/,
    )
    expect(all).to.be.greaterThan(20)
    expect(failed).to.equal(0)
    expect(await states()).to.equal('web1 UP\nweb2 UP')
  })

  it('loses requests without a drain, which proves the test above', async () => {
    const { ended, all, failed } = await underLoad(() => run({ VERSION: '3', DRAIN: '' }))
    console.log(`    without: ${failed} of ${all} requests failed`)
    expect(ended.code, ended.text).to.equal(0)
    expect(failed).to.be.greaterThan(0)
  })

  it('does not drain the last server: its host fails before any change, and nothing stays drained', async () => {
    await own.lab.exec('web2', 'systemctl stop nginx')
    await eventually(async () => (await states()).includes('web2 DOWN'))
    const { code, text } = await run({ VERSION: '4', DRAIN: 'yes' }, '--limit', 'web1')
    await own.lab.exec('web2', 'systemctl start nginx')
    expect(code, text).to.equal(1)
    expect(text).to.include('web1 is the last server of web that is up')
    expect((await own.lab.exec('web1', 'cat /etc/version')).stdout).to.equal('3')
    expect(await states()).to.match(/^web1 UP/)
    expect((await own.lab.exec('lb1', 'ls -A /var/lib/provision/drains')).stdout).to.equal('')
  })
})

const LOAD = `
rm -f /tmp/stop /tmp/load.*
for client in 1 2 3 4 5 6 7 8; do
  setsid sh -c '
    until [ -e /tmp/stop ]; do
      code=$(curl -s -o /dev/null -w "%{http_code}" --max-time 5 http://127.0.0.1/page)
      echo "$code $?"
    done > /tmp/load.'$client >/dev/null 2>&1 </dev/null &
done
sleep 0.5`

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
import { file, handler, http, pkg, play, playbook, reloaded, service, sh } from 'provision-ts'
import { drainFrom } from '${ROOT}/roles/haproxy/index.ts'
import { site } from './stack.ts'

const site80 = \`server {
  listen 8080 default_server;
  location /healthz { return 200; }
  location /page { limit_rate 40k; root /srv; }
}\`
const balancer = (servers: readonly { readonly name: string; readonly address: string }[]) => \`global
  stats socket /run/haproxy/admin.sock mode 660 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend http
  bind 127.0.0.1:80
  default_backend web
backend web
  option httpchk GET /healthz
  default-server check inter 500ms fall 1 rise 1
\${servers.map(({ name, address }) => \`  server \${name} \${address}:8080\\n\`).join('')}\`
// A page takes a second, so some are always under way when the server is killed.
const killed = handler('kill nginx and start it again', sh\`systemctl kill -s KILL nginx; sleep 0.3; systemctl restart nginx\`)

export default playbook(site, ({ lb, web }) => [
  play(
    'web',
    {
      hosts: web,
      serial: 1,
      readiness: ({ address }) => http(\`http://\${address}:8080/healthz\`),
      ...(process.env.DRAIN && { drain: drainFrom(lb, 'web', { timeout: 5 }) }),
    },
    () => [
      pkg('nginx-light', 'curl'),
      file('/etc/nginx/sites-enabled/default', site80, { notify: reloaded('nginx') }),
      file('/srv/page', 'x'.repeat(50_000)),
      service('nginx'),
      file('/etc/version', process.env.VERSION ?? '', { notify: killed }),
    ],
  ),
  play('balancer', { hosts: lb }, () => [
    pkg('haproxy', 'socat', 'curl'),
    file('/etc/haproxy/haproxy.cfg', balancer(web.hosts), { notify: reloaded('haproxy') }),
    service('haproxy'),
  ]),
])
`
