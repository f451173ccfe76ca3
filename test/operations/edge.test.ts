import { expect } from 'chai'
import { eventually } from '../integration/support.ts'
import { balancerPair, balancerPlaybook } from './balancer-pair.ts'

/** Connections that one client opens and on which it sends nothing. */
const IDLE = 500

/** Seconds until the idle connections end. */
const HELD = 600

/** The limits of clients at the load balancers. web1 is the client that exceeds them, lb2 another client. */
describe('the edge', function () {
  this.slow('1m').bail(true)
  const own = balancerPair('test-edge')

  const on = async (host: string, command: string) => {
    const { code, stdout, stderr } = await own.lab.exec(host, command)
    expect(code, `${host}: ${command}: ${stderr}`).to.equal(0)
    return stdout.trim()
  }
  const provisioned = async (params: string) => {
    own.desk.write('playbook.ts', balancerPlaybook(params))
    const { code, text } = await own.run()
    expect(code, text).to.equal(0)
    await eventually(async () => (await status('lb2')) === '200')
  }
  /** The status of a request, or 000 if there is no answer within the given seconds. */
  const status = (host: string, { name = 'notes.test', path = '/', seconds = 20 } = {}) =>
    on(
      host,
      `curl -sk -o /dev/null -w '%{http_code}' --max-time ${seconds} --connect-to ::${own.lab.vip}: -H 'Host: ${name}' https://notes.test${path} || true`,
    )
  const plain = (host: string) =>
    on(
      host,
      `curl -s -o /dev/null -w '%{http_code}' --max-time 20 -H 'Host: notes.test' http://${own.lab.vip}/ || true`,
    )
  /** Runs the body while web1 holds connections to a port, and passes their number. */
  const whileHeld = async (port: number, least: number, body: (open: () => Promise<number>) => Promise<void>) => {
    await on(
      'web1',
      `systemd-run -q --collect --unit held bash -c 'for n in $(seq ${IDLE}); do exec {fd}<>/dev/tcp/${own.lab.vip}/${port}; done; sleep ${HELD}'`,
    )
    const { address } = own.lab.host('web1')
    const open = async () =>
      Number(await on('lb1', `ss -Htn state established sport = :${port} dst ${address} | wc -l`))
    try {
      await eventually(async () => (await open()) >= least)
      await body(open)
    } finally {
      await on('web1', 'systemctl stop held')
      await eventually(async () => (await open()) === 0)
    }
  }

  it('refuses other host names with 421', async () => {
    await provisioned('{ maxConnections: 100, clientLimits: { connections: 50 } }')
    expect(await status('lb2')).to.equal('200')
    expect(await status('lb2', { name: 'NOTES.test:443' })).to.equal('200')
    expect(await status('lb2', { name: 'other.test' })).to.equal('421')
    expect(await status('lb2', { name: own.lab.vip })).to.equal('421')
  })

  it('answers others on port 443 while one client holds as many connections as it can', async () => {
    await whileHeld(443, 50, async (open) => {
      expect(await status('web1')).to.equal('000')
      expect(await open()).to.be.at.most(50)
      expect(await status('lb2')).to.equal('200')
    })
  })

  it('answers others on port 80 meanwhile', async () => {
    await whileHeld(80, 50, async (open) => {
      expect(await plain('lb2')).to.equal('301')
      expect(await open()).to.be.at.most(50)
    })
  })

  it('answers no other client without the limit (control)', async () => {
    await provisioned('{ maxConnections: 100, clientLimits: { connections: 0 } }')
    await whileHeld(443, 100, async () => {
      expect(await status('lb2', { seconds: 5 })).to.equal('000')
    })
  })

  it('answers 429 to a client with too many requests, and others as before', async () => {
    await provisioned('{ clientLimits: { requests: 5 } }')
    const urls = 'https://notes.test/?[1-200]'
    const statuses = await on(
      'web1',
      `curl -sk -o /dev/null -w '%{http_code}\\n' --connect-to ::${own.lab.vip}: '${urls}' | sort | uniq -c`,
    )
    expect(statuses).to.match(/\d+ 200\n *\d+ 429/)
    expect(await status('lb2')).to.equal('200')
  })

  it('shows a page if no web server answers', async () => {
    await on('web1', 'systemctl stop nginx')
    const page = () => on('lb2', `curl -sk -i --connect-to ::${own.lab.vip}: https://notes.test/ | tr -d '\\r'`)
    await eventually(async () => (await page()).startsWith('HTTP/2 503'))
    expect(await page())
      .to.match(/^content-type: text\/html; charset=utf-8$/m)
      .and.match(/^retry-after: 10$/m)
      .and.include('<h1>Service unavailable</h1>')
    await on('web1', 'systemctl start nginx')
  })
})
