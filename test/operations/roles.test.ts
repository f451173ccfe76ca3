import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import {
  answers,
  ask,
  Desk,
  eventually,
  footprint,
  freshLab,
  noHosts,
  provision,
  ROOT,
} from '../integration/support.ts'
import { Load, type Pace, targetOf } from '../proof/load.ts'
import { failing } from './gentle.ts'

const LAB = 'test-roles'
const HOSTS = ['lb1', 'lb2', 'web1', 'app1', 'app2', 'db1']
const READING: Pace = { freshGets: 1, keptGets: 1, pause: 10 }
const WRITING: Pace = { freshPosts: 1, keptPosts: 1, pause: 10 }

/** The guarantees of each role beyond convergence, on the newer Debian; stack.test.ts covers the older one. */
describe('the roles on real hosts of Debian 13', function () {
  this.slow('20s')
  let lab: Lab
  let desk: Desk
  const run = (...args: string[]) => provision(['--inventory', join(desk.directory, 'inventory.ts'), ...args], { LAB })
  const on = async (host: string, command: string) => {
    const { code, stdout, stderr } = await lab.exec(host, command)
    expect(code, `${host}: ${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout.trim()
  }
  const pidOf = (host: string, unit: string) => on(host, `systemctl show -p MainPID --value ${unit}`)
  const holders = async () => {
    const found = await Promise.all(
      ['lb1', 'lb2'].map(async (name) =>
        (await lab.exec(name, `ip -o -4 address show to ${lab.vip}`)).stdout === '' ? [] : [name],
      ),
    )
    return found.flat()
  }

  /** The results of clients during an action: sequential requests on new connections and on a kept one. */
  const during = async <T>(pace: Pace, requestTimeout: number, act: (load: Load) => Promise<T>) => {
    const target = targetOf(lab, desk.directory)
    const { ended, seen } = await Load.during(target, act, { seconds: 600, pace, requestTimeout })
    const bad = failing(seen)
    return { ended, good: seen.asked - bad.length, bad }
  }

  before(async function () {
    const why = noHosts()
    if (why) {
      console.log(`    not run: ${why}`)
      return this.skip()
    }
    lab = await freshLab({ name: LAB, hosts: HOSTS, debian: 13, log: (line) => console.log(`    ${line}`) })
    desk = new Desk()
    desk.write('package.json', '{ "type": "module" }')
    desk.write('inventory.ts', INVENTORY)
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  it('converge, and a second run changes no file and no process', async () => {
    const { code, text, ms } = await run()
    expect(code, text).to.equal(0)
    console.log(`    converged in ${(ms / 1000).toFixed(1)} s`)
    const before = await footprint(lab)
    const again = await run()
    expect(again.text, again.text).to.include('No changes')
    expect(await footprint(lab)).to.deep.equal(before)
    expect(await answers(lab, '/readyz')).to.equal(true)
  })

  it('run their services in a sandbox, in which they work', async () => {
    const exposure: Record<string, number> = {}
    for (const [host, unit] of [
      ['lb1', 'haproxy'],
      ['lb1', 'keepalived'],
      ['web1', 'nginx'],
      ['app1', 'notes'],
    ] as const) {
      const said = await on(host, `systemd-analyze security --no-pager ${unit} | tail -n 1`)
      exposure[unit] = Number(/level for \S+: ([\d.]+)/.exec(said)?.[1])
    }
    console.log(`    exposure: ${JSON.stringify(exposure)}`)
    for (const [unit, level] of Object.entries(exposure)) expect(level, unit).to.be.lessThan(3.2)
    expect(await on('app1', 'cat /proc/$(systemctl show -p MainPID --value notes)/environ | tr "\\0" "\\n"'))
      .to.include('CREDENTIALS_DIRECTORY=')
      .and.not.include(lab.secret('app'))
  })

  it('trust no header of a client about itself, and log a request under one id everywhere', async () => {
    const forged = '203.0.113.66'
    const { status, headers } = await ask(lab, '/api/whoami', {
      headers: {
        'x-forwarded-for': forged,
        'x-real-ip': forged,
        forwarded: `for=${forged}`,
        'x-forwarded-host': 'evil.test',
        'x-request-id': 'forged',
      },
    })
    expect(status).to.equal(200)
    const id = String(headers['x-request-id'])
    expect(id).to.match(/^[0-9a-f-]{36}$/)
    const [holder = ''] = await holders()
    const logs = await Promise.all([
      on(holder, `journalctl -q --no-pager -o cat -t haproxy -g ${id}`),
      on('web1', `grep -F ${id} /var/log/nginx/access.log`),
      on(String(headers['x-served-by']), `journalctl -q --no-pager -o cat -u notes -g ${id}`),
    ])
    const client = /^(\S+):\d+ /.exec(logs[0])?.[1]
    expect(client).to.be.a('string').and.not.equal(forged)
    expect(JSON.parse(logs[1])).to.include({ client, host: 'notes.test' })
    expect(JSON.parse(logs[2])).to.include({ client, requestId: id })
    expect(logs.join('\n')).not.to.include(forged)
  })

  it('show metrics only to admins', async () => {
    const asks = (from: string, url: string) =>
      on(from, `curl -s -o /dev/null -w '%{http_code}' --max-time 2 ${url} || true`)
    const lb1 = lab.host('lb1').address
    // The admins are at web1 and at this machine; the firewall drops the others before haproxy could reject them.
    expect(await asks('web1', `http://${lb1}:8404/metrics`)).to.equal('200')
    expect(await asks('web1', `http://${lb1}:8404/stats`)).to.equal('200')
    expect(await asks('web1', `http://${lb1}:8404/`)).to.equal('404')
    expect(await asks('app1', `http://${lb1}:8404/metrics`)).to.equal('000')
    expect(await asks('lb1', `http://${lb1}:8404/metrics`)).to.equal('403')
    expect(await asks('web1', `http://${lab.host('app1').address}:9464/metrics`)).to.equal('200')
    expect(await asks('lb1', `http://${lab.host('app1').address}:9464/metrics`)).to.equal('000')
    expect((await ask(lab, '/metrics')).status).to.equal(404)
  })

  it('activate a new certificate without a lost request', async () => {
    const before = [await pidOf('lb1', 'haproxy'), await pidOf('lb2', 'haproxy')]
    const shown = await serial(lab)
    rmSync(join(lab.directory, 'pki/notes.test.pem'))
    const { ended, good, bad } = await during(READING, 2_000, () => run())
    expect(ended.code, ended.text).to.equal(0)
    expect(await serial(lab)).to.not.equal(shown)
    console.log(`    ${good} requests well, ${bad.length} not, during the renewal`)
    expect(bad).to.deep.equal([])
    expect(good).to.be.greaterThan(50)
    expect([await pidOf('lb1', 'haproxy'), await pidOf('lb2', 'haproxy')]).to.deep.equal(before)
  })

  it('keep the address on exactly one host after each failure', async () => {
    expect(await holders()).to.deep.equal(['lb1'])
    await on('lb1', 'echo 1 > /run/keepalived-maint')
    await eventually(async () => (await holders()).join() === 'lb2')
    await on('lb1', 'echo 0 > /run/keepalived-maint')
    await eventually(async () => (await holders()).join() === 'lb1')

    await on('lb1', 'kill -9 $(pgrep keepalived)')
    await eventually(async () => (await pidOf('lb1', 'keepalived')) !== '0')
    await eventually(async () => (await holders()).join() === 'lb1')

    await on('lb1', 'pkill -STOP -x haproxy')
    await eventually(async () => (await holders()).join() === 'lb2')
    await on('lb2', 'pkill -STOP -x haproxy')
    await pause(4_000)
    expect(await holders(), 'when the checks of both fail').to.have.lengthOf(1)
    await Promise.all(['lb1', 'lb2'].map((name) => on(name, 'pkill -CONT -x haproxy')))
    await eventually(async () => (await holders()).join() === 'lb1')
    await eventually(() => answers(lab))
  })

  it('let a host that was frozen continue without harm', async () => {
    await lab.freeze('lb1')
    await eventually(() => answers(lab))
    const { good, bad } = await during(READING, 2_000, async () => {
      await lab.thaw('lb1')
      await eventually(async () => (await holders()).join() === 'lb1')
      await pause(2_000)
    })
    console.log(`    ${good} requests well, ${bad.length} not, when it went on`)
    // The host becomes the master again: that closes kept connections, and a new connection may fail at that moment.
    expect(bad.length, bad.join('\n')).to.be.at.most(2)
    expect(good).to.be.greaterThan(bad.length)
  })

  it('accept VRRP adverts only from the other balancer', async () => {
    const advert = `import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
vip, source, target = '${lab.vip}', '${lab.host('web1').address}', '${lab.host('lb1').address}'
body = bytes([0x31, 51, 255, 1, 0, 20, 0, 0]) + socket.inet_aton(vip)
pseudo = socket.inet_aton(source) + socket.inet_aton(target) + bytes([0, 112, 0, len(body)])
total = sum(int.from_bytes((pseudo + body)[i:i + 2], 'big') for i in range(0, len(pseudo + body), 2))
while total >> 16: total = (total & 0xffff) + (total >> 16)
body = body[:6] + (~total & 0xffff).to_bytes(2, 'big') + body[8:]
for _ in range(15): s.sendto(body, (target, 0)); time.sleep(0.1)`
    const heard = () =>
      on('lb1', "awk '/^Ip:/ { n++; if (n == 2) print $8 }' /proc/net/snmp").then(() =>
        on('lb1', 'journalctl -q --no-pager -o cat -u keepalived | grep -c "web1\\|198.18.0.21" || true'),
      )
    const sent = () => on('web1', `python3 -c "$(cat <<'END'\n${advert}\nEND\n)"`)
    await sent()
    expect(await heard()).to.equal('0')
    expect(await holders()).to.deep.equal(['lb1'])
    // Without the rule keepalived gets the advert and logs it, which proves that it was one.
    await on('lb1', 'nft insert rule inet provision input meta l4proto 112 accept')
    await sent()
    expect(Number(await heard())).to.be.greaterThan(0)
    expect((await run()).code).to.equal(0)
    expect(await on('lb1', 'nft list chain inet provision input')).to.not.match(/^\s*meta l4proto 112 accept/m)
  })

  it('rotate their logs, and the services write to the new files', async () => {
    expect(await on('web1', 'systemctl is-active logrotate.timer')).to.equal('active')
    await on('web1', 'logrotate -f /etc/logrotate.d/nginx')
    expect(await answers(lab)).to.equal(true)
    await eventually(async () => (await lab.exec('web1', 'test -s /var/log/nginx/access.log')).code === 0)
    expect(await on('lb1', 'systemctl show -p LogRateLimitIntervalUSec --value haproxy')).to.equal('0')
  })

  it('lose no request if one application host after another changes, or one is stopped', async () => {
    const before = await pidOf('app1', 'notes')
    for (const host of ['app1', 'app2']) await on(host, 'echo "# mine" >> /etc/systemd/system/notes.service')
    const { good, bad } = await during(WRITING, 12_000, async (load) => {
      await eventually(async () => load.acknowledged.length > 3)
      const { code, text } = await run('--tags', 'app')
      expect(code, text).to.equal(0)
      expect(await pidOf('app1', 'notes')).to.not.equal(before)
      const deployed = load.acknowledged.length
      await on('app1', 'systemctl stop notes')
      expect(await on('app1', 'systemctl show -p Result --value notes')).to.equal('success')
      await eventually(async () => load.acknowledged.length > deployed + 3)
      await on('app1', 'systemctl start notes')
    })
    console.log(`    ${good} requests well, ${bad.length} not, in a rolling change and a stop`)
    expect(bad).to.deep.equal([])
  })
})

async function serial(lab: Lab): Promise<string> {
  return (await ask(lab, '/')).serial
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

const INVENTORY = `
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { notes } from '${ROOT}/inventory/notes.ts'
import { siteSchema as site } from 'provision-ts/stack'

export default async () => {
  const lab = openLab('${LAB}')
  const ca = await authority(lab.directory + '/pki', { name: 'Notes lab' })
  const at = (name) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
  const pair = (name) => ca.keyPair({ names: [name], addresses: [lab.host(name).address] })
  return inventory(site, {
    domain: 'notes.test',
    application: notes,
    vip: lab.vip + '/24',
    admins: [lab.host('web1').address + '/32', '198.18.0.1/32'],
    updates: false,
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: at('web1') } },
    app: { port: 3000, hosts: { app1: at('app1'), app2: at('app2') } },
    db: { seed: true, hosts: { db1: { ...at('db1'), certificate: await pair('db1') } } },
  })
}
`
