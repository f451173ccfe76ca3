import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { type AnsibleInventory, fromAnsible } from '../../src/ansible/index.ts'
import { credential, integer, optional, text } from '../../src/model/fields.ts'
import { hosts, stack } from '../../src/model/stack.ts'
import { temporary } from '../support/rig.ts'
import { wordsOf } from '../support/words.ts'

const site = stack({
  domain: text,
  db: hosts({ version: optional(integer()), password: optional(credential) }),
})

type Files = Readonly<Record<string, string>>
type Ask = (ansible: AnsibleInventory<(typeof site)['entries']>) => unknown

const group: Ask = (ansible) => ansible.group('db')
const ini = (text: string): Files => ({ 'hosts.ini': text })
const yaml = (text: string): Files => ({ 'hosts.yml': text })
/** One host, and what is said of it. */
const host = (words: string): Files => ini(`[db]\ndb1 ansible_host=192.0.2.2 ${words}\n`)
const VAULT = '$ANSIBLE_VAULT;1.1;AES256\n6162\n'

/** The first file, or the folder that it lies in, is taken for the inventory. */
const CASES: Readonly<Record<string, readonly [files: Files, text: string, ask?: Ask]>> = {
  'is not there': [
    {},
    `error: There is no Ansible inventory DIR/hosts
   Give the path of an INI or YAML file, from where the command is given.`,
  ],
  'is a folder': [
    { 'hosts/hosts.ini': '' },
    `error: DIR/hosts is a folder
   Name the file in it: hosts.ini, hosts.yml.`,
  ],
  'is encrypted': [
    ini(VAULT),
    `error: DIR/hosts.ini is encrypted with Ansible Vault
   ansible-vault decrypt it first.`,
  ],
  'is a program': [
    ini('#!/usr/bin/python3\n'),
    `error: DIR/hosts.ini is a program
   Keep what it tells: ansible-inventory --list --yaml --export > hosts.yml`,
  ],
  'has a section that there is not': [
    ini('[db]\n[db:hosts]\n'),
    `error: [db:hosts] is no section of an inventory
   at DIR/hosts.ini:2
   There are [group], [group:vars] and [group:children].`,
  ],
  'has a variable of a group without a value': [
    ini('[db]\n[db:vars]\nversion\n'),
    `error: A line of a :vars section should be name=value
   at DIR/hosts.ini:3`,
  ],
  'has a variable of a host without a value': [
    host('version'),
    `error: "version" should be name=value
   at DIR/hosts.ini:2`,
  ],
  'has a quote without its end': [
    host(`motd='Do not`),
    `error: A quote (') is not closed
   at DIR/hosts.ini:2`,
  ],
  'is no YAML': [
    yaml('db:\n  hosts: [db1\n  vars: {}\n'),
    `error: DIR/hosts.yml is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
   at DIR/hosts.yml:3:3
     3 |   vars: {}
       |   ^`,
  ],
  'has a list where YAML wants names': [
    yaml('db:\n  hosts:\n    - db1\n'),
    `error: There should be a mapping of names
   at DIR/hosts.yml: db.hosts
   Each name has a colon behind it, that of a host without variables, too: web1:`,
  ],
  'has groups right below a group': [
    yaml('all:\n  db:\n    hosts:\n'),
    `error: A group has hosts, children and vars, and no db
   at DIR/hosts.yml: all
   Is a level missing? Groups within a group stand below its children.`,
  ],
  'has variables that have no names': [
    { ...ini('[db]\ndb1\n'), 'group_vars/db.yml': '- version\n' },
    `error: DIR/group_vars/db.yml should be a mapping of names to values
   A line for each: name: value`,
  ],
  'has no such group': [
    ini('[web]\n[bd]\n'),
    `error: DIR/hosts.ini has no group "db"
   Did you mean "bd" or "web"? Another name is said with { from: '…' }.`,
  ],
  'has a host that nobody can find': [
    // Too long a name to ask anybody about.
    ini(`[db]\n${'x'.repeat(64)}\n`),
    `error: DIR/hosts.ini: ${'x'.repeat(64)} has no address that is known here
   Give it an ansible_host, or name the variable that holds it: vars: { address: 'private_ip' }.`,
  ],
  'says nothing of a variable': [
    ini('[all]\n'),
    `error: DIR/hosts.ini: domain of the group all is not said; it should be a text
   Is it called otherwise there? vars: { …: 'domain' } says so.`,
    (ansible) => ansible.value('domain'),
  ],
  'may say a variable in a file that is encrypted': [
    { ...ini('[all]\n'), 'group_vars/all.yml': VAULT },
    `error: DIR/hosts.ini: domain of the group all is not said; it should be a text
   DIR/group_vars/all.yml is encrypted with Ansible Vault, and was not read
   Keep it as a secret here: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
    (ansible) => ansible.value('domain'),
  ],
  'has an encrypted variable': [
    yaml('db: { hosts: { db1: { ansible_host: 192.0.2.2, password: !vault "$ANSIBLE_VAULT;1.1" } } }'),
    `error: DIR/hosts.yml: password of db1 is encrypted with Ansible Vault
   Keep it as a secret here: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
  ],
  'has a template for a variable': [
    host('version="{{ ours }}"'),
    `error: DIR/hosts.ini: version of db1 is made by a template of Ansible ({{ … }})
   Say it in the inventory itself: there it is an expression of TypeScript.`,
  ],
  'has a password for all to read': [
    host('password=hunter2'),
    `error: DIR/hosts.ini: password of db1 is to be a secret, and stands there for all to read
   Keep it as a secret here: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
  ],
  'has a variable of another type': [
    host('version=new'),
    'error: DIR/hosts.ini: version of db1 should be a whole number, got "new"',
  ],
  'reaches a host otherwise': [
    host('ansible_connection=winrm'),
    `error: db1: ansible_connection winrm has no like here
   Hosts are reached by ssh, or are this machine (local).`,
  ],
  'becomes root otherwise': [
    host('ansible_become_method=su'),
    `error: db1: ansible_become_method su has no like here
   A user becomes root by sudo or doas, or logs in as root.`,
  ],
  'has options of ssh': [
    host(`ansible_ssh_extra_args='-o ProxyCommand="nc %h"'`),
    `error: db1: options of ssh are not read from an inventory of Ansible: -o ProxyCommand="nc %h"
   Put them into ~/.ssh/config, which counts here as it does for ssh; a -J or ProxyJump alone is read.`,
  ],
  'has the password of a login': [
    host('ansible_password=hunter2'),
    `error: db1: ansible_password is not read: hosts are reached with keys here
   Give the host your key (ssh-copy-id), and leave the password away.`,
  ],
  'has the password of sudo': [
    host('ansible_become_pass=hunter2'),
    `error: db1: ansible_become_pass is not read: a password does not belong into an inventory
   Say --ask-become-password, or in the inventory become: { password: secret.prompt('sudo') }.`,
  ],
  'has a list for a way to a host': [
    host('ansible_user=[1,2]'),
    `error: db1: ansible_user should be a text
   Say it in the inventory itself: ssh: { … }.`,
  ],
  'has a template for a way to a host': [
    host('ansible_user="{{ me }}"'),
    `error: db1: ansible_user is made by a template of Ansible ({{ … }})
   Say it in the inventory itself: ssh: { … }.`,
  ],
}

describe('an inventory of Ansible that does not serve', () => {
  let directory: string

  beforeEach(() => {
    directory = temporary()
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  for (const [what, [files, text, ask = group]] of Object.entries(CASES))
    it(`says what is wrong and what to do when it ${what}`, async () => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true })
        writeFileSync(join(directory, name), content)
      }
      const [name = 'hosts'] = Object.keys(files)
      expect(await told(ask, name.replace(/\/.*/, ''))).to.equal(text)
    })

  async function told(ask: Ask, name: string): Promise<string> {
    const words = await wordsOf(async () => ask(await fromAnsible(join(directory, name), site)))
    return words.replaceAll(directory, 'DIR')
  }
})
