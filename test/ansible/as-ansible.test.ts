import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readInventoryFiles } from '../../src/ansible/files.ts'
import { fromAnsible } from '../../src/ansible/index.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { Problem } from '../../src/model/problem.ts'
import { temporary } from '../support/rig.ts'

const site = inventorySchema({ web: hosts() })

describe('an Ansible inventory is read as by Ansible', () => {
  let directory: string
  let notices: string[]

  beforeEach(() => {
    directory = temporary()
    notices = []
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function write(files: Readonly<Record<string, string>>): string {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true })
      writeFileSync(join(directory, name), content)
    }
    return join(directory, Object.keys(files)[0] ?? '')
  }
  const namesIn = (text: string) => [...readInventoryFiles(write({ hosts: text })).tree.hosts.keys()]
  const groupVars = (text: string) => {
    const { vars } = readInventoryFiles(write({ hosts: '[web]\nweb1\n', 'group_vars/web.yml': text })).vars(
      'group',
      'web',
    )
    return Object.fromEntries([...vars].map(([name, { value }]) => [name, value]))
  }
  const hostVars = (words: string, more = '') => {
    const { tree } = readInventoryFiles(write({ hosts: `[web]\nweb1 ${words}\n${more}` }))
    return Object.fromEntries([...(tree.hosts.get('web1') ?? [])].map(([name, { value }]) => [name, value]))
  }
  const allVars = (line: string) => {
    const { tree } = readInventoryFiles(write({ hosts: `[all:vars]\n${line}\n` }))
    return [...(tree.groups.get('all')?.vars ?? [])].map(([name, { value }]) => [name, value])
  }
  /** A host with these variables. */
  const converted = async (words: string, name = 'web1') => {
    const path = write({ hosts: `[web]\n${name} ansible_host=192.0.2.1 ${words}\n` })
    const warn = (text: string) => notices.push(text.replace(`${directory}/`, ''))
    const { hosts } = (await fromAnsible(path, site, { warn })).group('web')
    return Object.values(hosts)[0]
  }
  const ssh = async (words: string, name?: string) => (await converted(words, name))?.ssh
  const refused = async (words: string) => {
    const problem = await ssh(words).catch((error: unknown) => error)
    if (!(problem instanceof Problem)) throw new Error(`not refused: ${JSON.stringify(problem)}`)
    expect(problem.where).to.equal(join(directory, 'hosts:2'))
    return problem.message
  }

  it('removes quotes and comments from a group variable that is a literal', () => {
    expect(allVars('quoted_comment="web.example.com"   # the public name')).to.deep.equal([
      ['quoted_comment', 'web.example.com'],
    ])
    expect(allVars('x=abc # def')).to.deep.equal([['x', 'abc # def']])
    expect(allVars('ports=80,443')).to.deep.equal([['ports', [80, 443]]])
  })

  it('splits a host line like shlex', () => {
    expect(hostVars(String.raw`escaped="say \"hi\" now"`)).to.deep.equal({ escaped: 'say "hi" now' })
    expect(hostVars('hash=123#456 b=2')).to.deep.equal({ hash: 123 })
  })

  it('reads group_vars by the rules of YAML 1.1', () => {
    expect(
      groupVars('tls: yes\nverbose: no\nmode: 0644\ntime: 1:30\ndefaults: &d { a: 1 }\nsite: { <<: *d, name: x }\n'),
    ).to.deep.equal({
      tls: true,
      verbose: false,
      mode: 420,
      time: 90,
      defaults: { a: 1 },
      site: { a: 1, name: 'x' },
    })
    expect(groupVars('raw: !unsafe "{{ kept }}"\n')).to.deep.equal({ raw: '{{ kept }}' })
  })

  it('reads a directory or the first file with the name, and skips hidden and other files', () => {
    const files = {
      hosts: '[web]\nweb1\n[db]\ndb1\n',
      'group_vars/web/10.yml': 'a: folder\n',
      'group_vars/web/sub/20.yml': 'b: within\n',
      'group_vars/web/sub.d/x.yml': 'c: not read\n',
      'group_vars/web/.hidden.yml': 'c: not read\n',
      'group_vars/web/backup.yml~': 'c: not read\n',
      'group_vars/web/notes.txt': 'c: not read\n',
      'group_vars/web.yml': 'a: file\nc: not read\n',
      'group_vars/db.yaml': 'a: second\n',
      'group_vars/db.yml': 'a: first\n',
    }
    const { vars } = readInventoryFiles(write(files))
    const values = (name: string) => [...vars('group', name).vars].map(([key, { value }]) => [key, value])
    expect(values('web')).to.deep.equal([
      ['a', 'folder'],
      ['b', 'within'],
    ])
    expect(values('db')).to.deep.equal([['a', 'first']])
  })

  it('expands ranges of numbers and letters, and reads ports and IPv6 addresses', () => {
    expect(namesIn('node[:3]')).to.deep.equal(['node0', 'node1', 'node2', 'node3'])
    expect(namesIn('n[01:10:4].example.com')).to.deep.equal(['n01.example.com', 'n05.example.com', 'n09.example.com'])
    expect(namesIn('[a:c]x[1:2]')).to.deep.equal(['ax1', 'ax2', 'bx1', 'bx2', 'cx1', 'cx2'])
    expect(namesIn('h[y:B]')).to.deep.equal(['hy', 'hz', 'hA', 'hB'])
    expect(namesIn('10.150.150.1[0:2]')).to.deep.equal(['10.150.150.10', '10.150.150.11', '10.150.150.12'])
    expect(namesIn('[2001:db8::5]:2200\n2001:db8::6\nweb[1:2]:22')).to.deep.equal([
      '2001:db8::5',
      '2001:db8::6',
      'web1',
      'web2',
    ])
  })

  it('rejects ranges that are empty or invalid', () => {
    for (const pattern of [
      'node[9:7]',
      'node[c:a]',
      'node[01:100]',
      'node[1:]',
      'node[1]',
      'node[1:2:0]',
      'node[a:3]',
      'node[1:999999]',
      '[2001:db8::5]',
    ])
      expect(() => namesIn(pattern), pattern).to.throw(Problem)
  })

  it('reads a port after a host name or an IPv6 address', async () => {
    expect(await ssh('', 'web1:2200')).to.deep.equal({ port: 2200 })
    expect(await ssh('', '[2001:db8::5]:2200')).to.deep.equal({ port: 2200 })
    expect(await ssh('ansible_port=23', 'web1:2200')).to.deep.equal({ port: 23 })
    expect(hostVars('', '[other]\nweb1:2200\n')).to.deep.equal({})
  })

  it('reads jump hosts in each form that ssh accepts', async () => {
    const via = async (options: string) => (await ssh(`ansible_ssh_common_args='${options}'`))?.proxyJump
    expect(await via('-o ProxyJump=none')).to.deep.equal([])
    expect(await via('-J admin@[2001:db8::1]:2222')).to.deep.equal([{ user: 'admin', host: '2001:db8::1', port: 2222 }])
    expect(await via('-Jone,ssh://two:23')).to.deep.equal([{ host: 'one' }, { host: 'two', port: 23 }])
    const bastion = [{ host: 'bastion', user: 'user' }]
    expect(await via('-o ProxyCommand="ssh -W %h:%p user@bastion"')).to.deep.equal(bastion)
    expect(await via('-o ProxyCommand="ssh -W %h:%p -q user@bastion"')).to.deep.equal(bastion)
    expect(await via('-o ProxyCommand="ssh user@bastion -W %h:%p"')).to.deep.equal(bastion)
    expect(await via('-o ProxyCommand="ssh user@bastion nc -w 60 %h %p 2>/dev/null"')).to.deep.equal(bastion)
    expect(await via('-o ProxyCommand=none')).to.deep.equal([])
    expect(
      await via(
        '-o ProxyCommand="ssh -p 32510 -i id_rsa -l jump -J first -o StrictHostKeyChecking=no -W [%h]:%p 192.0.2.7"',
      ),
    ).to.deep.equal([
      { host: 'first' },
      { host: '192.0.2.7', port: 32510, identityFile: 'id_rsa', user: 'jump', hostKeys: 'accept-new' },
    ])
  })

  it('reads host key options, but still rejects a changed key, with a notice', async () => {
    const args = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'
    expect(await ssh(`ansible_ssh_common_args="${args}"`)).to.deep.equal({ hostKeys: 'accept-new' })
    expect(notices).to.deep.equal([
      'hosts: StrictHostKeyChecking=no is treated as accept-new: an unknown host key is added to known_hosts, a changed key is rejected',
      'hosts: UserKnownHostsFile=/dev/null has no effect: host keys are stored in known_hosts',
    ])
    expect(await ssh('ansible_host_key_checking=false')).to.deep.equal({ hostKeys: 'accept-new' })
    notices = []
    expect(await ssh("ansible_ssh_extra_args='-o StrictHostKeyChecking=accept-new'")).to.deep.equal({
      hostKeys: 'accept-new',
    })
    expect(await ssh("ansible_ssh_args='-oStrictHostKeyChecking=yes'")).to.deep.equal({ hostKeys: 'strict' })
    expect(await ssh("ansible_ssh_args='-o UserKnownHostsFile=/etc/kh'")).to.deep.equal({
      knownHosts: ['/etc/kh'],
    })
    expect(notices).to.deep.equal([])
  })

  it('reads user, port, key and timeout from options, unless variables set them', async () => {
    const args = `ansible_ssh_extra_args='-qp 2222 -i ~/.ssh/key -l deploy -o "ConnectTimeout 7"'`
    const settings = { port: 2222, identityFile: '~/.ssh/key', user: 'deploy', connectTimeout: '7s' }
    expect(await ssh(args)).to.deep.equal(settings)
    expect(await ssh(`${args} ansible_user=root ansible_port=22`)).to.deep.equal({
      ...settings,
      user: 'root',
      port: 22,
    })
    const two = `ansible_ssh_common_args='-o User=first -o Port=1' ansible_ssh_extra_args='-o user=second -p 2'`
    expect(await ssh(two)).to.deep.equal({ user: 'first', port: 1 })
  })

  it('reports options without effect', async () => {
    const args = '-C -o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=30 -o ForwardAgent=yes'
    expect(await ssh(`ansible_ssh_args='${args}'`)).to.deep.equal({})
    expect(notices).to.deep.equal([
      'hosts: -C has no effect',
      'hosts: ControlMaster=auto has no effect',
      'hosts: ControlPersist=60s has no effect',
      'hosts: ServerAliveInterval=30 has no effect',
      'hosts: ForwardAgent=yes has no effect',
    ])
  })

  it('rejects unsupported options with file, line and text', async () => {
    const wrong = async (options: string) => refused(`ansible_ssh_common_args='${options}'`)
    for (const option of [
      'ProxyCommand=nc %h',
      'HostKeyAlias=other',
      'HostKeyAlgorithms=+ssh-rsa',
      'Port=many',
      'ConnectTimeout=0',
      'ProxyJump=a b',
      'StrictHostKeyChecking=maybe',
      'ProxyCommand=ssh -W %h:%p %r@bastion',
      'ProxyCommand=ssh bastion',
      'ProxyCommand=ssh -W other:22 bastion',
    ])
      expect(await wrong(`-o "${option}"`)).to.equal(
        `web1: ansible_ssh_common_args has an unsupported option: ${option}`,
      )
    expect(await wrong('-F ssh.cfg')).to.include('unsupported option: -F ssh.cfg')
    expect(await wrong('-p')).to.include('unsupported option: -p')
    expect(await wrong('-Z')).to.include('unsupported option: -Z')
    expect(await wrong('-W %h:%p')).to.include('unsupported option: -W %h:%p')
    expect(await wrong('bastion')).to.include('unsupported option: bastion')
    expect(await wrong('-o "User=a')).to.include('unsupported option: -o "User=a')
  })

  it('reads connections and become methods by their long names', async () => {
    expect(await ssh('ansible_connection=ansible.builtin.local')).to.deep.equal({ transport: 'local' })
    const become = async (words: string) => (await converted(words))?.become
    expect(await become('ansible_become_method=community.general.doas ansible_become_user=root')).to.deep.equal({
      method: 'doas',
    })
    expect(await become('ansible_become_method=su')).to.deep.equal({ method: 'su' })
    expect(await become('ansible_become=no')).to.deep.equal({ method: 'none' })
    expect(await ssh('ansible_ssh_user=one ansible_user=two')).to.deep.equal({ user: 'one' })
  })
})
