import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { type AnsibleInventory, fromAnsible } from '../../src/ansible/index.ts'
import { credential, integer, optional, text } from '../../src/model/inventory/fields.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { temporary } from '../support/rig.ts'
import { wordsOf } from '../support/words.ts'

const site = inventorySchema({
  domain: text,
  db: hosts({ version: optional(integer()), password: optional(credential) }),
})

type Files = Readonly<Record<string, string | Buffer>>
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
    ini('[db]\n[db:hosted]\n'),
    `error: [db:hosted] is no section of an inventory
   at DIR/hosts.ini:2
   [db:hosted]
   There are [group], [group:vars] and [group:children].`,
  ],
  'has a variable of a group without a value': [
    ini('[db]\n[db:vars]\nversion\n'),
    `error: A line of a :vars section should be name=value
   at DIR/hosts.ini:3
   version`,
  ],
  'has a variable of a host without a value': [
    host('version'),
    `error: "version" should be name=value
   at DIR/hosts.ini:2
   db1 ansible_host=192.0.2.2 version`,
  ],
  'has a quote without its end': [
    host(`motd='Do not`),
    `error: A quote (') is not closed
   at DIR/hosts.ini:2
   db1 ansible_host=192.0.2.2 motd='Do not`,
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
   at DIR/hosts.yml:2
   Each name has a colon behind it, that of a host without variables, too: web1:`,
  ],
  'has groups right below a group': [
    yaml('all:\n  db:\n    hosts:\n'),
    `error: The group "all" has hosts, children and vars, and no "db"
   at DIR/hosts.yml:2
   Is a level missing? Groups within a group stand below its children.`,
  ],
  'has variables that have no names': [
    { ...ini('[db]\ndb1\n'), 'group_vars/db.yml': '- version\n' },
    `error: DIR/group_vars/db.yml should be a mapping of names to values
   at DIR/group_vars/db.yml:1
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
   No address was found for the name ${'x'.repeat(64)}
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
   at DIR/hosts.yml:1
   Keep it as a secret here: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
  ],
  'has a template for a variable': [
    host('version="{{ ours }}"'),
    `error: DIR/hosts.ini: version of db1 is made by a template of Ansible ({{ … }})
   at DIR/hosts.ini:2
   Write it in the inventory itself, as an expression of TypeScript.`,
  ],
  'has a password for all to read': [
    host('password=hunter2'),
    `error: DIR/hosts.ini: password of db1 is to be a secret, and stands there for all to read
   at DIR/hosts.ini:2
   Keep it as a secret here: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
  ],
  'has a variable of another type': [
    host('version=new'),
    `error: DIR/hosts.ini: version of db1 should be a whole number, got "new"
   at DIR/hosts.ini:2`,
  ],
  'reaches a host otherwise': [
    host('ansible_connection=winrm'),
    `error: db1: ansible_connection winrm has no counterpart here
   at DIR/hosts.ini:2
   Hosts are reached by ssh, or are this machine (local).`,
  ],
  'becomes root otherwise': [
    host('ansible_become_method=su'),
    `error: db1: ansible_become_method su has no counterpart here
   at DIR/hosts.ini:2
   A user becomes root by sudo or doas, or logs in as root.`,
  ],
  'has options of ssh': [
    host(`ansible_ssh_extra_args='-o ProxyCommand="nc %h"'`),
    `error: db1: ansible_ssh_extra_args has an option that cannot be followed: ProxyCommand=nc %h
   at DIR/hosts.ini:2
   A ProxyCommand is read where it is ssh -W %h:%p with a host
   the whole value: -o ProxyCommand="nc %h"
   Put it into ~/.ssh/config, which counts here as it does for ssh, or write the settings of the host in the inventory: ssh: { … }.`,
  ],
  'has the password of a login': [
    host('ansible_password=hunter2'),
    `error: db1: ansible_password is not read: hosts are reached with keys here
   at DIR/hosts.ini:2
   Give the host your key (ssh-copy-id), and leave the password away.`,
  ],
  'has the password of sudo': [
    host('ansible_become_pass=hunter2'),
    `error: db1: ansible_become_pass is not read: a password does not belong into an inventory
   at DIR/hosts.ini:2
   Use --ask-become-password, or write in the inventory become: { password: secret.prompt('sudo') }.`,
  ],
  'has a list for a way to a host': [
    host('ansible_user=[1,2]'),
    `error: db1: ansible_user should be a text, got [1,2]
   at DIR/hosts.ini:2
   Write it in the inventory itself: ssh: { … }.`,
  ],
  'has a template for a way to a host': [
    host('ansible_user="{{ me }}"'),
    `error: db1: ansible_user is made by a template of Ansible ({{ … }})
   at DIR/hosts.ini:2
   Write it in the inventory itself: ssh: { … }.`,
  ],
  'has a line that is no section': [
    ini('[web servers]\n'),
    `error: This is no section of an inventory
   at DIR/hosts.ini:1
   [web servers]
   A name of a group has no blanks and no colons; a comment behind it begins with #.`,
  ],
  'has a group that is not declared': [
    ini('[db]\ndb1\n[all:children]\ndb\nbd\n'),
    `error: There is no group "bd"
   at DIR/hosts.ini:5
   bd
   Declare it with a section of its own: [bd].`,
  ],
  'has a group within itself': [
    ini('[db:children]\ndb\n'),
    `error: The groups "db" and "db" contain one another
   at DIR/hosts.ini:2
   db
   Take one of them out of the other.`,
  ],
  'has two groups within each other': [
    ini('[db:children]\nweb\n[web:children]\ndb\n'),
    `error: The groups "web" and "db" contain one another
   at DIR/hosts.ini:4
   db
   Take one of them out of the other.`,
  ],
  'has two groups within each other, in YAML': [
    yaml('db:\n  children:\n    web:\n      children:\n        db:\n'),
    `error: The groups "web" and "db" contain one another
   at DIR/hosts.yml:5
   Take one of them out of the other.`,
  ],
  'has a child that is no name': [
    ini('[db:children]\nweb db\n'),
    `error: A line of a :children section should be the name of a group
   at DIR/hosts.ini:2
   web db`,
  ],
  'has a host that is no name': [
    ini('[db]\nuser@db1:22\n'),
    `error: "user@db1" is no name or address of a host
   at DIR/hosts.ini:2
   user@db1:22`,
  ],
  'has a range without its end': [
    ini('[db]\ndb[1:3\n'),
    `error: The range in "db[1:3" has no end
   at DIR/hosts.ini:2
   db[1:3`,
  ],
  'has a range that counts down': [
    ini('[db]\ndb[9:7]\n'),
    `error: The range [9:7] cannot be read: its end is below its begin, so that it names no host
   at DIR/hosts.ini:2
   db[9:7]`,
  ],
  'has a range in the address of a host': [
    ini('[db]\ndb[1:2] ansible_host=10.42.0.[31:32]\n'),
    `error: db1: ansible_host is no name or address: 10.42.0.[31:32]
   at DIR/hosts.ini:2
   Ansible expands a range in names of hosts only. Give each host a line with its own address.`,
  ],
  'has a backslash at the end of a line': [
    ini('[db]\ndb1 ansible_user=root \\\n'),
    `error: A backslash at the end escapes nothing
   at DIR/hosts.ini:2
   db1 ansible_user=root \\`,
  ],
  'has a password on a line that cannot be read': [
    ini("[db]\ndb1 ansible_password='hunter2\n"),
    `error: A quote (') is not closed
   at DIR/hosts.ini:2
   db1 ansible_password=***`,
  ],
  'has a tag of its own': [
    yaml('all:\n  vars:\n    when: !moment 1\n'),
    `error: The tag !moment is not read from an inventory of Ansible
   at DIR/hosts.yml:3
   Write the value without it.`,
  ],
  'has a tag that does not fit its value': [
    yaml('all:\n  vars:\n    count: !!int many\n'),
    `error: This is no !!int: many
   at DIR/hosts.yml:3
   Take the tag away.`,
  ],
  'has a list for a key': [
    yaml('? [a]\n: 1\n'),
    `error: A key is a list or a mapping, which Ansible does not take
   at DIR/hosts.yml:1
   Give it a name.`,
  ],
  'has a date for a key': [
    yaml('all:\n  vars:\n    2024-01-31: 1\n'),
    `error: A key cannot be read: 2024-01-31
   at DIR/hosts.yml:3
   Put it in quotes to make it a text.`,
  ],
  'merges what is no mapping': [
    yaml('all:\n  vars:\n    <<: 1\n'),
    `error: << should name a mapping, or a list of mappings
   at DIR/hosts.yml:3
   Name one by its alias: <<: *name.`,
  ],
  'names an anchor that there is not': [
    yaml('all:\n  vars:\n    a: *b\n'),
    `error: There is no anchor &b above
   at DIR/hosts.yml:3
   Name one that stands above, or put the text in quotes.`,
  ],
  'has a value that is no value': [
    yaml('all:\n  vars:\n    a: =\n'),
    `error: The value = has a meaning of its own in YAML 1.1
   at DIR/hosts.yml:3
   Put it in quotes to make it a text.`,
  ],
  'is not UTF-8': [
    {
      ...ini('[db]\ndb1 ansible_host=192.0.2.2\n'),
      'group_vars/db.yml': Buffer.from('a: 1\nb: \xe4\n', 'latin1'),
    },
    `error: DIR/group_vars/db.yml is not UTF-8
   at DIR/group_vars/db.yml:2
   Convert it, for example: iconv -f latin1 -t utf8`,
  ],
  'has a port that is none': [
    host('ansible_port=ssh'),
    `error: db1: ansible_port should be a port from 1 to 65535, got ssh
   at DIR/hosts.ini:2`,
  ],
  'has an answer that is neither yes nor no': [
    host('ansible_become=maybe'),
    `error: db1: ansible_become should be true or false, got maybe
   at DIR/hosts.ini:2`,
  ],
  'becomes another user than root': [
    host('ansible_become_user=postgres'),
    `error: db1: ansible_become_user postgres has no counterpart here
   at DIR/hosts.ini:2
   Steps run as root. A single command runs as another user with as: 'name'.`,
  ],
  'has a number that is too large': [
    host('version=12345678901234567890'),
    `error: DIR/hosts.ini: version of db1 is a number that JavaScript cannot hold exactly
   at DIR/hosts.ini:2
   Put it in quotes to make it a text: "'12345678901234567890'" in an INI file.`,
  ],
  'has a date': [
    { ...ini('[db]\ndb1 ansible_host=192.0.2.2\n'), 'group_vars/db.yml': 'other: 1\nversion: 2024-01-31\n' },
    `error: DIR/hosts.ini: version of db1 is a date in YAML, and none of the values of an inventory
   at DIR/group_vars/db.yml:2
   Put it in quotes to make it a text: '2024-01-31'.`,
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
