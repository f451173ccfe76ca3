import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { app } from '../../roles/app/index.ts'
import { backupConflicts } from '../../roles/backup/resources/conflicts.ts'
import { sshAccess } from '../../roles/base/resources/ssh-access.ts'
import { haproxyConflicts } from '../../roles/haproxy/resources/conflicts.ts'
import { keepalived } from '../../roles/keepalived/index.ts'
import { nginx } from '../../roles/nginx/index.ts'
import { nginxConflicts } from '../../roles/nginx/resources/conflicts.ts'
import { pathsFor } from '../../roles/postgres/params.ts'
import { postgresConflicts } from '../../roles/postgres/resources/conflicts.ts'
import { upstream } from '../../roles/upstream/index.ts'
import { absent, build, firewall, InvalidParams, Problem, Secret } from '../../src/index.ts'
import type { Steps } from '../../src/model/playbook/steps.ts'
import { convergeReal as converge } from '../../src/testing/real.ts'
import { accounted } from '../support/accounting.ts'
import { thrown } from '../transport/helpers.ts'
import { onLab } from './lab-site.ts'
import { noHosts, ownLab } from './support.ts'

const ADDRESS = '198.18.0.21'
const SERVER = { name: 'app1', address: '198.18.0.31', port: 3000 }

/**
 * Hosts with existing services: a role refuses to replace them before it changes anything, or keeps a copy. Each test also
 * has an unused host.
 */
describe('a role on a host that is in use', function () {
  this.slow('30s')
  const own = ownLab('adopt-in-use', ['web1'], () => ({}))
  const pages = mkdtempSync(join(tmpdir(), 'provision-pages-'))

  before(() => writeFileSync(join(pages, 'index.html'), 'ours\n'))
  after(() => rmSync(pages, { recursive: true }))

  const sh = async (script: string) => {
    const { code, stdout, stderr } = await own.lab.exec('web1', script)
    if (code !== 0) throw new Error(`${script}: ${stdout}${stderr}`)
    return stdout.trim()
  }
  const settled = async (steps: Steps) => {
    await converge(steps, own.lab.host('web1'))
    expect((await converge(steps, own.lab.host('web1'))).plan).to.deep.equal([])
  }
  /** Returns the refusal, after proof that the run changed no file and no package. */
  const refused = async (steps: Steps) => {
    const state = sh(STATE)
    const before = await state
    const problem = await thrown(converge(steps, own.lab.host('web1')))
    expect(await sh(STATE)).to.equal(before)
    if (!(problem instanceof InvalidParams)) throw problem
    expect(problem.next).to.include('Nothing was changed on any host.')
    return problem.details
  }
  /** Starts a service "other" that listens there. */
  const listening = async (address: string) => {
    await sh(`systemd-run -q --unit other systemd-socket-activate --accept -l ${address} cat || exit
until ss -Hltn | grep -qF '${address} '; do sleep 0.1; done`)
    return { end: () => sh('systemctl stop other') }
  }
  const install = (...names: readonly string[]) =>
    sh(`DEBIAN_FRONTEND=noninteractive apt-get -qq -y install ${names.join(' ')} >/dev/null 2>&1`)

  afterEach(() => noHosts() ?? own.lab.exec('web1', 'systemctl stop other'))

  describe('nginx', () => {
    const steps = () =>
      nginx({
        domain: 'notes.test',
        listen: { address: ADDRESS, port: 8080 },
        upstreams: [SERVER],
        balancers: [{ address: '198.18.0.11' }],
        site: build(pages, 'npm run build'),
      })

    it('names each site that would end, each file it would replace, and the program that uses its port', async () => {
      await install('nginx')
      await sh(`cp -a /etc/nginx /root/nginx
printf 'server { listen 80; server_name shop.test; }\\n' >/etc/nginx/sites-enabled/shop
sed -i 's/# server_tokens off;/server_tokens off;/; s/^\\troot .*/\\troot \\/srv\\/shop;/' /etc/nginx/sites-available/default
sed -i 's/^http {/http {\\n  include \\/opt\\/sites\\/*.conf;/' /etc/nginx/nginx.conf
printf 'upstream app { server 10.1.1.1; }\\n' >/etc/nginx/conf.d/upstream-app.conf
printf 'server {\\n  listen ${ADDRESS}:8080 default_server;\\n}\\n' >/etc/nginx/conf.d/legacy.conf`)
      const other = await listening(`${ADDRESS}:8080`)
      expect(await refused(steps())).to.deep.equal([
        `/etc/nginx/conf.d/legacy.conf has another default server for ${ADDRESS}:8080, and nginx refuses two`,
        `/etc/nginx/sites-enabled/default serves a site that would stop: the role's nginx.conf includes only conf.d/*.conf`,
        `/etc/nginx/sites-enabled/shop serves a site that would stop: the role's nginx.conf includes only conf.d/*.conf`,
        `/etc/nginx/nginx.conf includes /opt/sites/*.conf, which the role's nginx.conf does not`,
        '/etc/nginx/conf.d/upstream-app.conf exists, and the role did not write it',
        `port 8080 is in use: systemd-socket- (other.service) listens at ${ADDRESS}:8080`,
      ])
      await other.end()
      await sh('rm -r /etc/nginx && mv /root/nginx /etc/nginx')
    })

    it('adopts a nginx.conf in use, and keeps a copy of it', async () => {
      await sh(`sed -i 's/worker_connections .*/worker_connections 700;/' /etc/nginx/nginx.conf
printf 'server { listen 81; return 200 "shop\\\\n"; }\\n' >/etc/nginx/conf.d/shop.conf; systemctl reload nginx`)
      await settled(steps())
      expect(await sh('curl -fsS http://127.0.0.1:81/')).to.equal('shop')
      expect(await sh(`curl -fsS http://${ADDRESS}:8080/`)).to.equal('ours')
      expect(await sh('cat /var/lib/provision/removed/*/nginx.conf')).to.include('worker_connections 700;')
    })

    it('queries a host that has the role with one process', async () => {
      const started = async (steps: Steps) => {
        const all = await accounted(own.lab, ['web1'], () => onLab(own.lab, steps))
        return all.get('web1')?.map(({ program }) => program) ?? []
      }
      const other = absent('/etc/never-there')
      const [without, asking] = [
        await started(other),
        await started([other, nginxConflicts({ address: ADDRESS, port: 8080 })]),
      ]
      expect(asking.length - without.length, asking.join(' ')).to.equal(1)
    })

    it('names another default server for its port that was added later', async () => {
      await sh(`printf 'server { listen ${ADDRESS}:8080 default_server; }\\n' >/etc/nginx/conf.d/legacy.conf`)
      expect(await refused(steps())).to.deep.equal([
        `/etc/nginx/conf.d/legacy.conf has another default server for ${ADDRESS}:8080, and nginx refuses two`,
      ])
      await sh('rm /etc/nginx/conf.d/legacy.conf')
      await settled(steps())
    })
  })

  describe('upstream and haproxy', () => {
    const steps = upstream({ name: 'app', servers: [SERVER], path: '/livez' })

    it('reject a haproxy.cfg with other sections, other files that haproxy reads, and used ports', async () => {
      await sh(`mkdir -p /etc/haproxy; printf 'defaults\\n  mode tcp\\nfrontend shop\\n  bind :5000\\nbackend shops # all\\n' >/etc/haproxy/haproxy.cfg
echo 'EXTRAOPTS="-f /etc/haproxy/more"' >/etc/default/haproxy`)
      const other = await listening('127.0.0.1:8405')
      const found = [
        '/etc/haproxy/haproxy.cfg has other sections: frontend shop, backend shops',
        '/etc/default/haproxy makes haproxy read other files: EXTRAOPTS="-f /etc/haproxy/more"',
        'port 8405 is in use: systemd-socket- (other.service) listens at 127.0.0.1:8405',
      ]
      expect(await refused(steps)).to.deep.equal(found)
      await other.end()
      await sh('rm /etc/default/haproxy; mkdir -p /etc/haproxy/certs; touch /etc/haproxy/certs/a.pem')
      expect(
        await refused(haproxyConflicts({ role: 'haproxy', listens: [], files: ['/etc/haproxy/certs/a.pem'] })),
      ).to.deep.equal([found[0], '/etc/haproxy/certs/a.pem exists, and the role did not write it'])
    })

    it('keep a copy of a haproxy.cfg without a service', async () => {
      await sh(
        "rm -r /etc/haproxy; mkdir /etc/haproxy; printf '# tuned\\nglobal\\n  maxconn 77\\n' >/etc/haproxy/haproxy.cfg",
      )
      await settled(steps)
      expect(await sh('cat /var/lib/provision/removed/*/haproxy.cfg')).to.include('maxconn 77')
    })
  })

  it('keepalived rejects another configuration, and an address that something else has set', async () => {
    const steps = keepalived({
      vip: '198.18.0.99/24',
      priority: 250,
      address: ADDRESS,
      peers: [{ address: '198.18.0.22', priority: 240 }],
    })
    await sh(`mkdir -p /etc/keepalived
printf 'vrrp_instance SHOP {\\n  virtual_router_id 51\\n}\\n' >/etc/keepalived/keepalived.conf; ip address add 198.18.0.99/32 dev lo`)
    expect(await refused(steps)).to.deep.equal([
      '/etc/keepalived/keepalived.conf has other sections: vrrp_instance SHOP, virtual_router_id 51',
    ])
    await sh("echo '# nothing' >/etc/keepalived/keepalived.conf")
    expect(await refused(steps)).to.deep.equal(['the host already has the address 198.18.0.99, and not from this role'])
    await sh('ip address delete 198.18.0.99/32 dev lo')
    await settled(steps)
    expect(await sh('cat /var/lib/provision/removed/*/keepalived.conf')).to.equal('# nothing')
  })

  it('app rejects a unit, a user and files of its name that it did not create', async () => {
    const steps = app({
      name: 'shop',
      start: ['node', 'server.mjs'],
      release: build(pages, 'npm run build'),
      listen: { address: ADDRESS, port: 3000 },
      databases: [{ address: '198.18.0.41' }],
      database: { name: 'shop', user: 'shop', password: new Secret(() => 'a-password'), authority: 'x' },
    })
    await sh(`useradd -m -s /bin/bash shop; mkdir /etc/shop; echo x >/etc/shop/db-password
printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/shop.service`)
    const other = await listening('0.0.0.0:3000')
    expect(await refused(steps)).to.deep.equal([
      `the user shop exists and can log in: uid ${await sh('id -u shop')}, shell /bin/bash`,
      '/etc/systemd/system/shop.service exists, and the role did not write it',
      '/etc/shop/db-password exists, and the role did not write it',
      'port 3000 is in use: systemd-socket- (other.service) listens at 0.0.0.0:3000',
    ])
    await other.end()
    await sh('userdel -r shop 2>/dev/null; rm -r /etc/shop /etc/systemd/system/shop.service')
    const name = 'ssh'
    expect(
      await refused(app({ ...APP, name, release: build(pages, 'npm run build') })),
      'the unit of a package',
    ).to.include('/usr/lib/systemd/system/ssh.service exists, and the role did not write it')
  })

  it('backup and postgres name stanzas, host names and ports that belong to something else', async () => {
    const backup = backupConflicts({
      ...{ config: '/etc/pgbackrest/pgbackrest.conf', address: ADDRESS, port: 8432 },
      ...{ files: ['/etc/pgbackrest/tls/host.key'], others: [{ name: 'db1', address: '198.18.0.41' }] },
    })
    const postgres = postgresConflicts(pathsFor(15), { address: ADDRESS })
    await settled([backup, postgres])
    await sh(`printf '[global]\\nrepo1-path=/x\\n[global:archive-push]\\n[shop]\\n' >/etc/pgbackrest.conf; echo '10.1.1.1 db1' >>/etc/hosts
mkdir -p /etc/pgbackrest/tls; touch /etc/pgbackrest/tls/host.key`)
    expect(await refused(backup)).to.deep.equal([
      '/etc/pgbackrest.conf has the stanza [shop], which pgBackRest would no longer see',
      '/etc/hosts has the line "10.1.1.1 db1", which the role would replace',
      '/etc/pgbackrest/tls/host.key exists, and the role did not write it',
    ])
    const other = await listening('0.0.0.0:5432')
    expect(await refused(postgres)).to.deep.equal([
      'port 5432 is in use: systemd-socket- (other.service) listens at 0.0.0.0:5432',
    ])
    await other.end()
    const config = '/etc/postgresql/15/main'
    await sh(
      `mkdir -p ${config}; printf '# Do not edit this file manually!\n# It will be overwritten by Patroni!\n' >${config}/postgresql.conf`,
    )
    expect(await refused(postgres)).to.deep.equal([
      `Patroni manages the database server: it wrote ${config}/postgresql.conf`,
    ])
    await settled([postgresConflicts(pathsFor(15), { address: ADDRESS, leavesPatroni: true })])
    await sh('rm -r /etc/postgresql/15')
  })

  it('base reports an sshd that does not read the file of the role, and rolls the file back', async () => {
    await sh("sed -i 's/^Include/#Include/' /etc/ssh/sshd_config")
    const problem = await thrown(converge(sshAccess({}), own.lab.host('web1')))
    expect(String(problem instanceof Problem ? problem.details : problem)).to.include(
      'The settings have no effect: /etc/ssh/sshd_config does not include sshd_config.d/*.conf',
    )
    expect(await sh('ls /etc/ssh/sshd_config.d')).to.equal('')
    await sh("sed -i 's/^#Include/Include/' /etc/ssh/sshd_config")
    await settled(sshAccess({}))
  })

  it('firewall rejects another one that drops input, and runs beside tables that do not', async () => {
    await install('nftables')
    await sh(`nft add table inet filter; nft 'add chain inet filter input { type filter hook input priority 0; policy drop; }'
nft 'add rule inet filter input accept'; nft add table inet f2b
nft 'add chain inet f2b input { type filter hook input priority -1; policy accept; }'`)
    const problem = await thrown(converge(firewall([]), own.lab.host('web1')))
    expect(problem).to.be.instanceOf(InvalidParams)
    expect(problem)
      .to.have.property('message')
      .that.includes('The host has another firewall: table inet filter, which drops traffic by default.')
    expect(await sh('nft list tables')).to.equal('table inet filter\ntable inet f2b')
    await settled(firewall([], { others: 'keep' }))
    expect(await sh('nft list tables')).to.equal('table inet filter\ntable inet f2b\ntable inet provision')
    await settled(firewall([]))
  })

  it('firewall rejects Docker, which opens ports itself', async () => {
    await sh(
      'rm /etc/nftables.d/provision.nft; nft delete table inet filter; nft add table ip nat; nft add chain ip nat DOCKER',
    )
    const problem = await thrown(converge(firewall([]), own.lab.host('web1')))
    expect(problem).to.have.property('message').that.includes('The host has another firewall: Docker.')
    await settled(firewall([], { others: 'keep' }))
    await sh('nft delete table ip nat')
  })
})

const APP = {
  start: ['node', 'server.mjs'],
  listen: { address: ADDRESS, port: 3000 },
  databases: [{ address: '198.18.0.41' }],
  database: { name: 'shop', user: 'shop', password: new Secret(() => 'a-password'), authority: 'x' },
}

/** All files below /etc with their contents, and all packages. */
const STATE = `{ find /etc -type f -exec sha256sum {} + | sort; find /etc -type l -printf '%p %l\\n' | sort; dpkg-query -W; } | sha256sum`
