import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { fromAnsible } from '../../src/ansible/index.ts'
import { choice, credential, flag, integer, optional, port, text } from '../../src/model/inventory/fields.ts'
import { inventory } from '../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { Problem } from '../../src/model/problem.ts'
import { temporary } from '../support/rig.ts'

const site = inventorySchema({
  domain: text,
  web: hosts({ port, workers: optional(integer({ min: 1 })), debug: optional(flag) }),
  db: hosts({ version: choice(15, 17), password: optional(credential) }, { optional: true }),
})

const INI = `
; hosts of the shop
bastion ansible_host=192.0.2.9

[webservers]
web[01:03]  http_port=8080   # the usual
web02 workers=4 ansible_port=2222
[webservers:vars]
http_port=80
debug=True
ansible_user=deploy
ansible_ssh_common_args='-o ProxyJump=jump@192.0.2.1:2200'

[db]
db-a ansible_host=192.0.2.31 version=17 ansible_become=false
"db-b" ansible_host=192.0.2.32 version=15 ansible_connection=local

[backend:children]
db
[all:vars]
domain=shop.example.com
`
const HOST_VARS = {
  'host_vars/web01.yml': 'ansible_host: 192.0.2.21\n',
  'host_vars/web02.yml': 'ansible_host: 192.0.2.22\n',
  'host_vars/web03/main.yml': 'ansible_host: 192.0.2.23\nhttp_port: 8081\n',
}

describe('an Ansible inventory', () => {
  let directory: string

  beforeEach(() => {
    directory = temporary()
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const read = (files: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true })
      writeFileSync(join(directory, name), content)
    }
    return fromAnsible(join(directory, Object.keys(files)[0] ?? ''), site)
  }
  /** The message of the error. */
  const refusal = async (body: () => unknown) => {
    try {
      await body()
    } catch (error) {
      if (error instanceof Problem)
        return [error.message.replace(`${directory}/`, ''), error.next].filter(Boolean).join(' ')
      throw error
    }
    return 'nothing was thrown'
  }

  it('is converted: groups, ranges, variables and connection settings', async () => {
    const ansible = await read({ 'hosts.ini': INI, ...HOST_VARS })
    const { hosts: all, values } = inventory(site, {
      domain: ansible.value('domain'),
      web: ansible.group('web', { from: 'webservers', vars: { port: 'http_port' } }),
      db: ansible.group('db'),
    })
    expect(values.domain).to.equal('shop.example.com')
    expect(all.map(({ name, group, address }) => `${group} ${name} ${address}`)).to.deep.equal([
      'web web01 192.0.2.21',
      'web web02 192.0.2.22',
      'web web03 192.0.2.23',
      'db db-a 192.0.2.31',
      'db db-b 192.0.2.32',
    ])
    // Host variables override group variables, and files override the inventory.
    expect(values.web.hosts.map((host) => [host.port, host.workers, host.debug])).to.deep.equal([
      [8080, undefined, true],
      [8080, 4, true],
      [8081, undefined, true],
    ])
    const proxyJump = [{ host: '192.0.2.1', user: 'jump', port: 2200 }]
    expect(all.map(({ ssh }) => ssh)).to.deep.equal([
      { user: 'deploy', proxyJump },
      { user: 'deploy', proxyJump, port: 2222 },
      { user: 'deploy', proxyJump },
      {},
      { transport: 'local' },
    ])
    expect(all.map(({ become }) => become?.method)).to.deep.equal(['sudo', 'sudo', 'sudo', 'none', 'sudo'])
  })

  it('may be YAML; child groups override parents, and group files override both', async () => {
    const ansible = await read({
      'hosts.yml': `
all:
  vars: { domain: shop.example.com, http_port: 1 }
  children:
    prod:
      vars: { workers: 2, http_port: 2 }
      children:
        web:
          hosts:
            web[1:2]: { ansible_host: 192.0.2.1 }
          vars: { http_port: 3 }
`,
      'group_vars/prod.yml': 'workers: 8\n',
    })
    const web = ansible.group('web', { vars: { port: 'http_port' } })
    expect(Object.entries(web.hosts).map(([name, { port, workers }]) => [name, port, workers])).to.deep.equal([
      ['web1', 3, 8],
      ['web2', 3, 8],
    ])
    expect(Object.keys(ansible.group('web', { from: 'prod', vars: { port: 'http_port' } }).hosts)).to.have.length(2)
    expect(ansible.value('domain')).to.equal('shop.example.com')
  })

  it('resolves names, or takes the address from another variable', async () => {
    // A name that is too long for DNS.
    const unknown = 'x'.repeat(64)
    const ansible = await read({
      'hosts.ini': `[web]\nlocalhost port=80\n[db]\n${unknown} version=17 private_ip=10.0.0.9`,
    })
    expect(ansible.group('web').hosts['localhost']?.address).to.match(/^(127\.0\.0\.1|::1)$/)
    expect(await refusal(() => ansible.group('db'))).to.include(`${unknown} has no known address`)
    const db = ansible.group('db', { vars: { address: 'private_ip' } })
    expect(db.hosts[unknown]).to.deep.include({
      address: '10.0.0.9',
      ssh: { host: unknown },
    })
  })

  it('reports the variable and host of an invalid or missing value', async () => {
    const ansible = await read({
      'hosts.ini': '[web]\nweb1 ansible_host=192.0.2.1 port=many\n[db]\ndb1 ansible_host=192.0.2.2\n',
    })
    expect(await refusal(() => ansible.group('web'))).to.equal(
      'hosts.ini: port of web1 should be a port from 1 to 65535, got "many"',
    )
    expect(await refusal(() => ansible.group('db'))).to.match(
      /^hosts\.ini: version of db1 is not set; it should be one of 15, 17/,
    )
    expect(await refusal(() => ansible.group('web', { from: 'wep' }))).to.equal(
      `hosts.ini has no group "wep" Did you mean "web"? To use another name: { from: '…' }.`,
    )
  })

  it('rejects an encrypted or plain value for a secret, with the sources of secrets', async () => {
    const vault = '$ANSIBLE_VAULT;1.1;AES256\n6162\n'
    const one = 'db:\n  hosts:\n    db1:\n      ansible_host: 192.0.2.2\n      version: 17\n'
    const inline = await read({
      'a.yml': `${one}      password: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162\n`,
    })
    expect(await refusal(() => inline.group('db'))).to.match(
      /^a\.yml: password of db1 is encrypted with Ansible Vault Use a secret source/,
    )
    const open = await read({ 'b.yml': `${one}      password: hunter2\n` })
    const message = await refusal(() => open.group('db'))
    expect(message).to.include('password of db1 should be a secret').and.not.to.include('hunter2')
    const template = await read({ 'c.yml': one.replace('17', '"{{ pg_version }}"') })
    expect(await refusal(() => template.group('db'))).to.include('version of db1 is an Ansible template')
    const file = await read({ 'd.yml': one.replace('      version: 17\n', ''), 'group_vars/db.yml': vault })
    expect(await refusal(() => file.group('db')))
      .to.include('version of db1 is not set')
      .and.to.include('Use a secret source')
    // An unused invalid value is no error.
    const unused = await read({ 'e.yml': one, 'group_vars/db.yml': vault })
    expect(unused.group('db').hosts['db1']?.version).to.equal(17)
  })
})
