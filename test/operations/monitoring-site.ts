import { expect } from 'chai'
import type { Lab } from '../../src/lab/index.ts'
import { eventually, ROOT } from '../integration/support.ts'

/** A small site with a monitoring host, whose receivers are programs on that host. */
export const MONITORED = ['lb1', 'lb2', 'web1', 'app1', 'db1', 'db2', 'backup1', 'monitor1'] as const

export const MONITORED_INVENTORY = `
import { inventory, secret } from 'provision-ts'
import { authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { siteSchema } from 'provision-ts/stack'
import { notes } from '${ROOT}/inventory/notes.ts'
export default async () => {
  const lab = openLab(process.env.LAB)
  const ca = await authority(lab.directory + '/pki', { name: 'test' })
  const at = (name: string) => ({ address: lab.host(name).address, ssh: lab.host(name).ssh })
  const certified = async (name: string) =>
    ({ ...at(name), certificate: await ca.keyPair({ names: [name], addresses: [at(name).address] }) })
  return inventory(siteSchema, {
    domain: 'notes.test',
    application: notes,
    vip: lab.vip + '/24',
    certificate: await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate,
    updates: false,
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: at('web1') } },
    app: { port: 3000, hosts: { app1: at('app1') } },
    db: { seed: false, hosts: { db1: { ...(await certified('db1')), seed: true }, db2: await certified('db2') } },
    backup: { passphrase: secret.of(lab.secret('backup')), hosts: { backup1: await certified('backup1') } },
    monitoring: {
      alerts: {
        webhooks: [secret.of('http://127.0.0.1:9999/' + lab.secret('webhook'))],
        mail: { to: ['operators@notes.test'], from: 'monitor1@notes.test', server: '127.0.0.1:2525', tls: false },
      },
      // The test cannot wait for days.
      limits: { pendingDays: 0 },
      hosts: { monitor1: at('monitor1') },
    },
  })
}
`

/** Stores each alert that comes by webhook as a line "state name host", and each mail as a line with its subject. */
const RECEIVER = `
import http.server, json, socketserver, threading
def note(line):
    with open('/run/received', 'a') as log:
        log.write(line + '\\n')
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        for alert in body['alerts']:
            labels = alert['labels']
            note(' '.join([alert['status'], labels['alertname'], labels.get('instance', '-'), self.path]))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass
class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda text: self.wfile.write(text.encode() + b'\\r\\n')
        say('220 mail')
        while line := self.rfile.readline():
            word = line[:4].upper()
            say('354 go' if word == b'DATA' else '221 bye' if word == b'QUIT' else '250 ok')
            if word == b'QUIT':
                return
            if word == b'DATA':
                while (line := self.rfile.readline().strip()) != b'.':
                    if line.startswith(b'Subject:'):
                        note('mail ' + line.decode())
                say('250 ok')
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
threading.Thread(target=Server(('127.0.0.1', 2525), Mail).serve_forever).start()
http.server.ThreadingHTTPServer(('127.0.0.1', 9999), Hook).serve_forever()
`

/** The alerts of a site, as its receivers get them. */
export class Alerts {
  readonly #lab: Lab

  constructor(lab: Lab) {
    this.#lab = lab
  }

  async on(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await this.#lab.exec(host, command)
    expect(code, `${host}: ${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout.trim()
  }

  async startReceiver(): Promise<void> {
    // The hosts have a Python without its standard library.
    await this.on('monitor1', 'apt-get install -y -qq libpython3-stdlib >/dev/null 2>&1')
    await this.on('monitor1', `cat > /usr/local/libexec/receiver.py <<'END'${RECEIVER}END\ntouch /run/received`)
    await this.on('monitor1', 'systemd-run -q --collect --unit receiver python3 /usr/local/libexec/receiver.py')
  }

  /** The lines of the receiver. */
  async received(): Promise<readonly string[]> {
    return (await this.on('monitor1', 'cat /run/received')).split('\n')
  }

  /** The result of a query of Prometheus: labels and value of each series. */
  async query(promql: string): Promise<readonly Series[]> {
    const url = `http://${this.#lab.host('monitor1').address}:9090/api/v1/query`
    const said = await this.on('monitor1', `curl -fsS --data-urlencode ${quoted(`query=${promql}`)} ${url}`)
    const { data } = JSON.parse(said) as { readonly data: { readonly result: readonly Answered[] } }
    return data.result.map(({ metric, value: [, value] }) => ({ ...metric, value }))
  }

  /** The alerts that fire now, as "name host". */
  async firing(): Promise<readonly string[]> {
    const found = await this.query('ALERTS{alertstate="firing"}')
    return found.map((one) => `${one['alertname']} ${one['instance'] ?? '-'}`).sort()
  }

  /** Waits until Prometheus has evaluated its rules as often as this, without a condition about time. */
  async evaluated(times: number): Promise<void> {
    const count = async () => {
      const [found] = await this.query('sum(prometheus_rule_group_iterations_total)')
      return Number(found?.['value'] ?? 0)
    }
    const before = await count()
    await eventually(async () => (await count()) >= before + times)
  }

  /**
   * Makes faults, and waits until the receiver has got an alert for each; repairs them, and waits until it got the end of each. Prints
   * the seconds that each alert took.
   *
   * @param wanted alerts as "name host"
   */
  async fires(wanted: readonly string[], fault: () => Promise<unknown>, repair: () => Promise<unknown>): Promise<void> {
    const start = (await this.received()).length
    await fault()
    await this.#arrives('firing', wanted, start)
    await repair()
    await this.#arrives('resolved', wanted, start)
  }

  async #arrives(state: 'firing' | 'resolved', wanted: readonly string[], start: number): Promise<void> {
    const began = performance.now()
    const missing = new Set(wanted)
    await eventually(async () => {
      const lines = (await this.received()).slice(start)
      for (const one of [...missing].filter((alert) => lines.some((line) => line.startsWith(`${state} ${alert} `)))) {
        missing.delete(one)
        console.log(`    ${one} ${state} after ${((performance.now() - began) / 1000).toFixed(0)} s`)
      }
      return missing.size === 0
    }).catch((error: unknown) => {
      throw new Error(`not ${state}: ${[...missing].join(', ')}`, { cause: error })
    })
  }
}

type Series = Readonly<Record<string, string>>

interface Answered {
  readonly metric: Series
  readonly value: readonly [number, string]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
