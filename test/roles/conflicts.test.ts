import { expect } from 'chai'
import { appConflicts } from '../../roles/app/resources/conflicts.ts'
import { describeListener, isPortTaken, listenersIn } from '../../roles/base/lib/listeners.ts'
import { type Found, parseFound } from '../../roles/base/resources/conflicts.ts'
import { haproxyConflicts } from '../../roles/haproxy/resources/conflicts.ts'
import { keepalivedConflicts } from '../../roles/keepalived/resources/conflicts.ts'
import { nginxConflicts } from '../../roles/nginx/resources/conflicts.ts'
import { PORT, pathsFor } from '../../roles/postgres/params.ts'
import { postgresConflicts } from '../../roles/postgres/resources/conflicts.ts'
import { InvalidParams } from '../../src/model/problem.ts'
import { noOtherFirewall, otherFirewalls } from '../../src/resources/firewall/firewall.ts'
import { wordsOf } from '../support/words.ts'

const LISTEN = { address: '10.0.1.1', port: 8080 }
const NGINX = 'users:(("nginx",pid=7,fd=6),("nginx",pid=8,fd=6)) cgroup:/system.slice/nginx.service'

const found = (...lines: readonly string[]): Found => parseFound([...lines, 'end', ''].join('\n'))
const message = (step: ReturnType<typeof nginxConflicts>, have: unknown) => wordsOf(() => step.diff(have))

describe('a host with existing services', () => {
  it('is rejected with all conflicts, and the actions that resolve them', async () => {
    const have = found(
      '/etc/nginx/sites-enabled/shop:  listen 80;',
      '/etc/nginx/nginx.conf:  include /opt/sites/*.conf;',
      'file /etc/nginx/conf.d/site.conf',
      'LISTEN 0 511 0.0.0.0:8080 0.0.0.0:* users:(("apache2",pid=5,fd=4)) cgroup:/system.slice/apache2.service',
    )
    expect(await message(nginxConflicts(LISTEN), have)).to.equal(
      `error: The role nginx conflicts with the present use of this host.
   at role nginx
   /etc/nginx/sites-enabled/shop serves a site that would stop: the role's nginx.conf includes only conf.d/*.conf
   /etc/nginx/nginx.conf includes /opt/sites/*.conf, which the role's nginx.conf does not
   /etc/nginx/conf.d/site.conf exists, and the role did not write it
   port 8080 is in use: apache2 (apache2.service) listens at 0.0.0.0:8080
   Move the site to a file in /etc/nginx/conf.d, where it stays in use, or remove it. Move such files to /etc/nginx/conf.d, or remove the line. Move these files away. Stop the program (systemctl disable --now apache2.service), or choose another port. Nothing was changed on any host.`,
    )
  })

  it('is not rejected for the default files of a Debian package, or for the files of the role', () => {
    const debian = found(
      '/etc/nginx/nginx.conf:include /etc/nginx/modules-enabled/*.conf;',
      '/etc/nginx/nginx.conf:\tinclude /etc/nginx/mime.types;',
      '/etc/nginx/nginx.conf:\tinclude /etc/nginx/conf.d/*.conf;',
      '/etc/nginx/nginx.conf:\tinclude /etc/nginx/sites-enabled/*;',
      '/etc/nginx/sites-enabled/default:\tlisten 80 default_server;',
      'more default site',
      `LISTEN 0 511 0.0.0.0:8080 0.0.0.0:* ${NGINX}`,
    )
    const ours = found(
      '/etc/nginx/conf.d/site.conf:# Made by provision: changes are lost.',
      '/etc/nginx/conf.d/site.conf:  listen 10.0.1.1:8080 default_server;',
      '/etc/nginx/sites-enabled/other:  listen 10.0.1.1:8080 default_server;',
      'ours',
    )
    for (const have of [debian, ours, found()]) expect(nginxConflicts(LISTEN).diff(have)).to.equal(undefined)
  })

  it('is rejected for a second default server, also if it has the role', async () => {
    const have = found('ours', '/etc/nginx/conf.d/legacy.conf:server { listen 10.0.1.1:8080 default_server; }')
    expect(await message(nginxConflicts(LISTEN), have)).to.equal(
      `error: The role nginx conflicts with the present use of this host.
   at role nginx
   /etc/nginx/conf.d/legacy.conf has another default server for 10.0.1.1:8080, and nginx refuses two
   Remove default_server from it, or choose another port. Nothing was changed on any host.`,
    )
  })

  it('is rejected if Patroni manages its database server, unless the inventory sets the mode of failover', async () => {
    const path = '/etc/postgresql/17/main/postgresql.conf'
    const have = found(`${path}:# It will be overwritten by Patroni!`, 'ours')
    const step = (params: object) => postgresConflicts(pathsFor(17), { address: '10.0.3.1', ...params })
    expect(await message(step({}), have)).to.equal(
      `error: The role postgres conflicts with the present use of this host.
   at role postgres
   Patroni manages the database server: it wrote ${path}
   Set failover of db in the inventory: 'automatic' keeps Patroni, 'manual' removes it. Nothing was changed on any host.`,
    )
    for (const params of [{ managed: true }, { leavesPatroni: true }, { manager: 'patroni' }])
      expect(step(params).diff(have)).to.equal(undefined)
    expect(step({}).diff(found('ours'))).to.equal(undefined)
  })

  it('is rejected for the services in haproxy.cfg and keepalived.conf', async () => {
    const proxy = haproxyConflicts({ role: 'haproxy', listens: [] })
    const sections = ['/etc/haproxy/haproxy.cfg:frontend shop', '/etc/haproxy/haproxy.cfg:backend web # all']
    expect(await message(proxy, found(...sections))).to.equal(
      `error: The role haproxy conflicts with the present use of this host.
   at role haproxy
   /etc/haproxy/haproxy.cfg has other sections: frontend shop, backend web
   The role replaces the whole file. Use another host; or move the file away if it is not needed. Nothing was changed on any host.`,
    )
    expect(proxy.diff(found(...sections, 'ours'))).to.equal(undefined)
    const conf = { config: '/etc/keepalived/keepalived.conf', check: '/check', vip: '10.0.0.10' }
    expect(
      await message(
        keepalivedConflicts(conf),
        found(`${conf.config}:vrrp_instance A {`, `${conf.config}:  virtual_router_id 51`),
      ),
    ).to.equal(
      `error: The role keepalived conflicts with the present use of this host.
   at role keepalived
   /etc/keepalived/keepalived.conf has other sections: vrrp_instance A, virtual_router_id 51
   The role replaces the whole file. Use another host; or, if it is not needed, stop keepalived and move the file away. Nothing was changed on any host.`,
    )
  })

  it('is rejected for a user who can log in or is one of Debian, but not for another system account', async () => {
    const step = appConflicts({ name: 'notes', listen: LISTEN })
    expect(step.diff(found('more notes:x:998:998::/srv/notes:/usr/sbin/nologin'))).to.equal(undefined)
    expect(await message(step, found('more notes:x:1001:1001::/home/notes:/bin/bash'))).to.equal(
      `error: The role app conflicts with the present use of this host.
   at role app
   the user notes exists and can log in: uid 1001, shell /bin/bash
   Give the application another name, or remove the user. Nothing was changed on any host.`,
    )
    expect(await message(step, found('more mail:x:8:8:mail:/var/mail:/usr/sbin/nologin'))).to.include(
      '   the user mail is an account of Debian: uid 8\n   Give the application another name.',
    )
  })

  it('is unknown after an incomplete answer', () => {
    expect(() => parseFound('ours\n')).to.throw('the host returned an incomplete list of files and ports in use')
    expect(() => parseFound('ss failed\nend\n', 'sh: ss: not found\n')).to.throw('(sh: ss: not found)')
    expect(() => otherFirewalls('failed\nend\n', 'nft: denied')).to.throw('nft: denied')
  })
})

describe('listeners', () => {
  const [first] = listenersIn([`LISTEN 0 511 127.0.0.53%lo:53 0.0.0.0:* ${NGINX}`])
  const at = (address: string) => ({ address, port: PORT, program: undefined, unit: undefined })
  const wanted = (address: string) => ({ address, port: PORT })

  it('are parsed from ss with program and unit', () => {
    expect(first).to.deep.equal({ address: '127.0.0.53', port: 53, program: 'nginx', unit: 'nginx.service' })
    expect(first && describeListener(first)).to.equal('nginx (nginx.service)')
    expect(listenersIn(['LISTEN 0 1 [::]:80 [::]:*']).map(describeListener)).to.deep.equal([
      'a program that ss cannot name',
    ])
  })

  it('occupy one address, or all addresses of an IP version', () => {
    for (const [mine, theirs] of [
      ['10.0.0.1', '10.0.0.1'],
      ['10.0.0.1', '0.0.0.0'],
      ['10.0.0.1', '*'],
      ['*', '10.0.0.1'],
      ['fd00::1', '[fd00::1]'],
      ['fd00::1', '[::]'],
      ['::', '0.0.0.0'],
    ] as const)
      expect(isPortTaken(wanted(mine), at(theirs)), `${mine} ${theirs}`).to.equal(true)
    for (const [mine, theirs] of [
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.1', '[::]'],
      ['*', '[::1]'],
      ['fd00::1', '0.0.0.0'],
    ] as const)
      expect(isPortTaken(wanted(mine), at(theirs)), `${mine} ${theirs}`).to.equal(false)
    expect(isPortTaken({ address: '*', port: 1 }, at('*'))).to.equal(false)
  })
})

describe('another firewall', () => {
  const chain = (policy: string, hook = 'input') =>
    `\tchain A {\n\t\ttype filter hook ${hook} priority filter; policy ${policy};\n\t}\n`

  it('is rejected if it drops input by default', async () => {
    const step = noOtherFirewall({ file: '/f' })
    expect(await message(step, otherFirewalls(`table inet filter {\n${chain('drop')}}\nend\n`))).to.equal(
      `error: The host has another firewall: table inet filter, which drops traffic by default.
   at firewall
   A packet must be accepted by both, so a port that only one of them opens stays closed.
   Add its rules to firewall() and disable it (nft delete table inet filter, and remove the file that loads it at boot), or keep both: firewall(rules, { others: 'keep' }). Nothing was changed on any host.`,
    )
    expect(() => step.diff(otherFirewalls('-P INPUT DROP\nend'))).to.throw(InvalidParams, 'table ip filter')
  })

  it('is named if it is ufw or firewalld', () => {
    const ufw = `table ip filter {\n\tchain ufw-before-input {\n\t}\n${chain('drop')}}\nend\n`
    expect(otherFirewalls(ufw).map(({ off }) => off)).to.deep.equal(['ufw disable'])
    expect(otherFirewalls('firewalld\nend\n').map(({ name }) => name)).to.deep.equal(['firewalld'])
  })

  it('is named if it is Docker, whose ports no rule closes', async () => {
    const docker = `table ip nat {\n\tchain DOCKER {\n\t}\n}\ntable ip filter {\n${chain('drop', 'forward')}}\nend\n`
    expect(await message(noOtherFirewall({ file: '/f' }), otherFirewalls(docker)))
      .to.include('error: The host has another firewall: Docker.')
      .and.to.include('Docker opens the ports of its containers itself: no rule of this firewall closes them.')
      .and.not.to.include('A packet must be accepted by both')
    expect(otherFirewalls(`firewalld\n${docker}`).map(({ name }) => name)).to.deep.equal(['firewalld', 'Docker'])
  })

  it('is named if it drops what the host sends', () => {
    expect(otherFirewalls(`table ip out {\n${chain('drop', 'output')}}\nend\n`)).to.have.length(1)
  })

  it('is ignored if its tables accept traffic or do not filter that of the host', () => {
    const other = `table ip filter {\n${chain('drop', 'forward')}}\ntable inet f2b {\n${chain('accept')}}\nend\n`
    for (const said of [other, 'end\n']) expect(otherFirewalls(said)).to.deep.equal([])
  })
})
