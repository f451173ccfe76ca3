import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Lab } from '../../src/lab/index.ts'
import { authority } from '../../src/pki/authority.ts'
import { type Ended, eventually, ownLab, provision, ROOT } from '../integration/support.ts'
import { Load, targetOf } from '../proof/load.ts'
import { failing, GENTLE } from './gentle.ts'

const LAB = 'test-acme'

describe('a public certificate of a real ACME server, on the balancers', function () {
  this.slow('60s').bail(true)
  const own = ownLab(LAB, ['lb1', 'lb2', 'web1', 'app1', 'db1', 'acme1'], () => ({
    'package.json': '{ "type": "module" }',
    'inventory.ts': INVENTORY,
  }))
  let server: AcmeServer

  before(async () => {
    server = await AcmeServer.on(own.lab)
  })
  after(() => server?.end())

  const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    provision([...words, '--inventory', join(own.desk.directory, 'inventory.ts'), '--no-type-check'], {
      ...{ LAB, ACME: join(own.desk.directory, 'acme'), ACME_SERVER: server.url, ACME_ROOT: server.root },
      ...env,
    })
  const must = async (...words: readonly string[]): Promise<Ended> => {
    const ended = await run(words)
    expect(ended.code, ended.text).to.equal(0)
    return ended
  }
  const on = async (host: string, command: string): Promise<string> => {
    const { code, stdout, stderr } = await own.lab.exec(host, command)
    expect(code, `${host}: ${command}\n${stdout}${stderr}`).to.equal(0)
    return stdout.trim()
  }
  /** The certificate that a client gets. */
  const shown = async (): Promise<X509Certificate> => {
    const connect = `openssl s_client -connect ${own.lab.vip}:443 -servername notes.test </dev/null 2>/dev/null`
    return new X509Certificate(await on('web1', `${connect} | openssl x509`))
  }
  const pids = () => Promise.all(['lb1', 'lb2'].map((host) => on(host, 'systemctl show -p MainPID --value haproxy')))
  const underLoad = async (act: () => Promise<unknown>) => {
    const target = targetOf(own.lab, own.desk.directory, [server.root])
    const { seen } = await Load.during(target, act, GENTLE)
    const failed = failing(seen)
    console.log(`    ${failed.length} of ${seen.asked} requests failed, ${seen.gap} ms without an answer`)
    return { failed, asked: seen.asked }
  }

  it('is refused with the message of the server if the balancers do not know the account', async () => {
    const bare = await run([], { ACME: '' })
    expect(bare.code, bare.text).to.equal(0)
    const before = await shown()
    const { code, text } = await run(['renew-certificates'])
    expect(code, text).to.equal(64)
    expect(text)
      .to.include('issued no certificate for notes.test')
      .and.match(/acme-challenge.*404/)
    expect(text, text).to.include('provision verify')
    expect((await shown()).fingerprint256).to.equal(before.fingerprint256)
  })

  it('replaces a self-signed one, with which the balancers answer the challenges', async () => {
    await must()
    const { code, text } = await run(['verify'])
    expect(code, text).to.equal(1)
    expect(text, text).to.match(/ACME challenges are answered +passed/)
    expect(text, text).to.include('Order it: provision renew-certificates')
  })

  it('is planned by --check, which orders nothing', async () => {
    const before = readdirSync(join(own.desk.directory, 'acme'))
    const { code, text } = await run(['renew-certificates', '--check'])
    expect(code, text).to.equal(2)
    expect(text, text).to.match(/~ .*haproxy configuration/)
    expect(readdirSync(join(own.desk.directory, 'acme'))).to.deep.equal(before)
    expect(await server.log()).to.not.include('Issued certificate')
  })

  it('is ordered and activated by a reload, and then verify passes', async () => {
    const before = await pids()
    await must('renew-certificates')
    expect((await shown()).issuer).to.include('Pebble Intermediate')
    expect(await pids()).to.deep.equal(before)
    await must('verify', '--within', '60s')
  })

  it('has its keys on this machine; only the balancers have the key of the certificate', async () => {
    const directory = join(own.desk.directory, 'acme')
    for (const name of ['account.key', 'notes.test.key'])
      expect((statSync(join(directory, name)).mode & 0o777).toString(8), name).to.equal('600')
    const key = readFileSync(join(directory, 'notes.test.key'), 'utf8').split('\n')[1]
    const account = readFileSync(join(directory, 'account.key'), 'utf8').split('\n')[1]
    const holders = await Promise.all(
      own.lab.hosts.map(async ({ name }) => {
        const { stdout } = await own.lab.exec(name, `grep -rlF -e '${key}' -e '${account}' /etc /srv /var/lib`)
        return stdout === '' ? [] : [`${name}: ${stdout.trim()}`]
      }),
    )
    expect(holders.flat()).to.deep.equal(['lb1', 'lb2'].map((name) => `${name}: /etc/haproxy/certs/notes.test.pem`))
  })

  it('is not renewed by any run while it is valid for long enough', async () => {
    const serial = (await shown()).serialNumber
    expect((await must('renew-certificates')).text).to.include('No changes')
    expect((await must()).text).to.include('No changes')
    expect((await shown()).serialNumber).to.equal(serial)
  })

  it('is renewed without a failed request, on kept connections and on new ones; a restart instead of the reload fails some', async () => {
    const serial = (await shown()).serialNumber
    const before = await pids()
    const { failed, asked } = await underLoad(() => must('renew-certificates', '--force'))
    expect(failed.join('\n')).to.equal('')
    expect(asked).to.be.greaterThan(200)
    expect(await pids()).to.deep.equal(before)
    expect((await shown()).serialNumber).to.not.equal(serial)
    const control = await underLoad(() =>
      Promise.all(['lb1', 'lb2'].map((host) => on(host, 'systemctl restart haproxy && sleep 2'))),
    )
    expect(control.failed).to.not.be.empty
  })

  it('is refused to another account, which the balancers do not know, until the site runs again', async () => {
    rmSync(join(own.desk.directory, 'acme/account.key'))
    const { code, text } = await run(['renew-certificates', '--force'])
    expect(code, text).to.equal(64)
    expect(text, text).to.include('did not match').and.include('Nothing was changed')
    const { text: report } = await run(['verify'])
    expect(report, report).to.include('the balancers do not know the account yet')
    await must()
    await must('renew-certificates', '--force')
    await must('verify', '--within', '60s')
  })

  it('is reported by verify if it expires soon', async () => {
    await server.begin({ certificateValidityPeriod: 3600 })
    await must('renew-certificates', '--force')
    const { code, text } = await run(['verify'])
    expect(code, text).to.equal(1)
    expect(text, text).to.match(/the certificate is valid for 1 more day +failed/)
  })
})

/** Pebble on a host of the lab; this machine reaches it through a tunnel. */
class AcmeServer {
  readonly #lab: Lab
  readonly #tunnel: ChildProcess
  readonly url: string
  #root = ''

  private constructor(lab: Lab, tunnel: ChildProcess, url: string) {
    this.#lab = lab
    this.#tunnel = tunnel
    this.url = url
  }

  static async on(lab: Lab): Promise<AcmeServer> {
    const ca = await authority(join(lab.directory, 'pki'), { name: 'Notes lab' })
    const { certificate, key } = await ca.keyPair({ names: ['acme1'], addresses: ['127.0.0.1'] })
    await must(
      lab,
      `apt-get -qq install -y pebble curl >/dev/null 2>&1 && umask 077 && mkdir -p /etc/pebble && cd /etc/pebble || exit 1
printf %s '${certificate}' > cert.pem
printf %s '${key.reveal()}' > key.pem
echo '${lab.vip} notes.test' >> /etc/hosts`,
    )
    const port = await freePort()
    const words = ['-F', lab.sshConfig, '-N', '-L', `127.0.0.1:${port}:127.0.0.1:14000`, 'acme1']
    const tunnel = spawn('ssh', words, { stdio: 'ignore' })
    const server = new AcmeServer(lab, tunnel, `https://127.0.0.1:${port}/dir`)
    await server.begin()
    return server
  }

  /** The root certificate of its issuers since the last start, as PEM. */
  get root(): string {
    return this.#root
  }

  /** Starts Pebble with new accounts, orders and issuers. It validates each name each time. */
  async begin(more: object = {}): Promise<void> {
    const config = JSON.stringify({ pebble: { ...PEBBLE, ...more } })
    const root = await must(
      this.#lab,
      `systemctl stop pebble 2>/dev/null; printf %s '${config}' > /etc/pebble/config.json
systemd-run -q -u pebble -E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_AUTHZREUSE=0 pebble -config /etc/pebble/config.json || exit 1
for try in $(seq 50); do curl -fsSk https://127.0.0.1:15000/roots/0 2>/dev/null && exit; sleep 0.2; done; exit 1`,
    )
    this.#root = root
    await eventually(() => listens(this.url))
  }

  log(): Promise<string> {
    return must(this.#lab, 'journalctl -q --no-pager -o cat -u pebble')
  }

  end(): void {
    this.#tunnel.kill()
  }
}

const PEBBLE = {
  listenAddress: '127.0.0.1:14000',
  managementListenAddress: '127.0.0.1:15000',
  certificate: '/etc/pebble/cert.pem',
  privateKey: '/etc/pebble/key.pem',
  httpPort: 80,
  tlsPort: 443,
}

async function must(lab: Lab, command: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec('acme1', command)
  if (code !== 0) throw new Error(`${command}: ${stdout}${stderr}`)
  return stdout
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

function listens(url: string): Promise<boolean> {
  const { hostname: host, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) }, () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })
}

const INVENTORY = `
import { inventory, secret } from 'provision-ts'
import { acme, authority } from 'provision-ts/pki'
import { openLab } from 'provision-ts/lab'
import { notes } from '${ROOT}/inventory/notes.ts'
import { siteSchema as site } from 'provision-ts/stack'

export default async () => {
  const lab = openLab('${LAB}')
  const ca = await authority(lab.directory + '/pki', { name: 'Notes lab' })
  const at = (name) => ({ address: lab.host(name).address, ssh: { ...lab.host(name).ssh, connectTimeout: '60s' } })
  const { ACME, ACME_SERVER, ACME_ROOT } = process.env
  return inventory(site, {
    domain: 'notes.test',
    application: notes,
    vip: lab.vip + '/24',
    updates: false,
    certificate: ACME
      ? await acme(ACME, { names: ['notes.test'], contact: 'ops@notes.test', termsAgreed: true, server: ACME_SERVER, serverAuthority: ca.certificate })
      : await ca.keyPair({ names: ['notes.test'] }),
    authority: ca.certificate + ACME_ROOT,
    passwords: { app: secret.of(lab.secret('app')), replication: secret.of(lab.secret('replication')) },
    lb: { hosts: { lb1: { ...at('lb1'), priority: 250 }, lb2: { ...at('lb2'), priority: 240 } } },
    web: { port: 8080, hosts: { web1: at('web1') } },
    app: { port: 3000, hosts: { app1: at('app1') } },
    db: {
      seed: true,
      hosts: { db1: { ...at('db1'), certificate: await ca.keyPair({ names: ['db1'], addresses: [lab.host('db1').address] }) } },
    },
  })
}
`
