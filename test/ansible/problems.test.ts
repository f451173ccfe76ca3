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
/** One host with variables. */
const host = (words: string): Files => ini(`[db]\ndb1 ansible_host=192.0.2.2 ${words}\n`)
const VAULT = '$ANSIBLE_VAULT;1.1;AES256\n6162\n'

/** The first file or its directory is read as the inventory. */
const CASES: Readonly<Record<string, readonly [files: Files, text: string, ask?: Ask]>> = {
  'does not exist': [
    {},
    `error: There is no Ansible inventory DIR/hosts
   Give the path of an INI or YAML file, relative to where the command is run.`,
  ],
  'is a directory': [
    { 'hosts/hosts.ini': '' },
    `error: DIR/hosts is a directory
   Name the file in it: hosts.ini, hosts.yml.`,
  ],
  'is encrypted': [
    ini(VAULT),
    `error: DIR/hosts.ini is encrypted with Ansible Vault
   Decrypt it first: ansible-vault decrypt.`,
  ],
  'is a program': [
    ini('#!/usr/bin/python3\n'),
    `error: DIR/hosts.ini is a program
   Save its output: ansible-inventory --list --yaml --export > hosts.yml`,
  ],
  'has an unknown section': [
    ini('[db]\n[db:hosted]\n'),
    `error: [db:hosted] is not a valid section
   at DIR/hosts.ini:2
   [db:hosted]
   Valid are [group], [group:vars] and [group:children].`,
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
  'has an unclosed quote': [
    host(`motd='Do not`),
    `error: A quote (') is not closed
   at DIR/hosts.ini:2
   db1 ansible_host=192.0.2.2 motd='Do not`,
  ],
  'is not valid YAML': [
    yaml('db:\n  hosts: [db1\n  vars: {}\n'),
    `error: DIR/hosts.yml is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
   at DIR/hosts.yml:3:3
     3 |   vars: {}
       |   ^`,
  ],
  'has a list instead of names': [
    yaml('db:\n  hosts:\n    - db1\n'),
    `error: This should be a mapping of names
   at DIR/hosts.yml:2
   Write a colon after each name, also of a host without variables: web1:`,
  ],
  'has groups directly in a group': [
    yaml('all:\n  db:\n    hosts:\n'),
    `error: The group "all" has hosts, children and vars, and no "db"
   at DIR/hosts.yml:2
   Check for a missing level: groups within a group belong under its children.`,
  ],
  'has variables without names': [
    { ...ini('[db]\ndb1\n'), 'group_vars/db.yml': '- version\n' },
    `error: DIR/group_vars/db.yml should be a mapping of names to values
   at DIR/group_vars/db.yml:1
   Write one line for each: name: value`,
  ],
  'lacks a group': [
    ini('[web]\n[bd]\n'),
    `error: DIR/hosts.ini has no group "db"
   Did you mean "bd" or "web"? To use another name: { from: '…' }.`,
  ],
  'has a host without an address': [
    // A name that is too long for DNS.
    ini(`[db]\n${'x'.repeat(64)}\n`),
    `error: DIR/hosts.ini: ${'x'.repeat(64)} has no known address
   No address was found for the name ${'x'.repeat(64)}
   Set ansible_host, or name the variable with the address: vars: { address: 'private_ip' }.`,
  ],
  'lacks a variable': [
    ini('[all]\n'),
    `error: DIR/hosts.ini: domain of the group all is not set; it should be a text
   If Ansible has another name for it: vars: { …: 'NAME' }.`,
    (ansible) => ansible.value('domain'),
  ],
  'may have a variable in an encrypted file': [
    { ...ini('[all]\n'), 'group_vars/all.yml': VAULT },
    `error: DIR/hosts.ini: domain of the group all is not set; it should be a text
   DIR/group_vars/all.yml is encrypted with Ansible Vault, and was not read
   Use a secret source: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
    (ansible) => ansible.value('domain'),
  ],
  'has an encrypted variable': [
    yaml('db: { hosts: { db1: { ansible_host: 192.0.2.2, password: !vault "$ANSIBLE_VAULT;1.1" } } }'),
    `error: DIR/hosts.yml: password of db1 is encrypted with Ansible Vault
   at DIR/hosts.yml:1
   Use a secret source: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
  ],
  'has a template for a variable': [
    host('version="{{ ours }}"'),
    `error: DIR/hosts.ini: version of db1 is an Ansible template ({{ … }})
   at DIR/hosts.ini:2
   Write it in the inventory as a TypeScript expression.`,
  ],
  'has a password in plain text': [
    host('password=hunter2'),
    `error: DIR/hosts.ini: password of db1 should be a secret but is stored in plain text
   at DIR/hosts.ini:2
   Use a secret source: secret.age('secrets/app.age'), secret.env('NAME') or secret.command('pass', 'show', 'name').`,
  ],
  'has a variable of another type': [
    host('version=new'),
    `error: DIR/hosts.ini: version of db1 should be a whole number, got "new"
   at DIR/hosts.ini:2`,
  ],
  'has an unsupported connection': [
    host('ansible_connection=winrm'),
    `error: db1: ansible_connection winrm has no counterpart here
   at DIR/hosts.ini:2
   Supported are ssh and local.`,
  ],
  'has an unsupported become method': [
    host('ansible_become_method=runas'),
    `error: db1: ansible_become_method runas has no counterpart here
   at DIR/hosts.ini:2
   Supported are sudo, su and doas, or a login as root.`,
  ],
  'has an unsupported ssh option': [
    host(`ansible_ssh_extra_args='-o ProxyCommand="nc %h"'`),
    `error: db1: ansible_ssh_extra_args has an unsupported option: ProxyCommand=nc %h
   at DIR/hosts.ini:2
   A ProxyCommand is supported only as ssh -W %h:%p with a host
   the whole value: -o ProxyCommand="nc %h"
   Move it to ~/.ssh/config, which is read here too, or set it in the inventory: ssh: { … }.`,
  ],
  'has a login password': [
    host('ansible_password=hunter2'),
    `error: db1: ansible_password is not supported: logins use keys
   at DIR/hosts.ini:2
   Add your key to the host (ssh-copy-id) and remove the password.`,
  ],
  'has a become password': [
    host('ansible_become_pass=hunter2'),
    `error: db1: ansible_become_pass is not supported: an inventory must not contain passwords
   at DIR/hosts.ini:2
   Use --ask-become-password, or set in the inventory become: { password: secret.prompt('sudo') }.`,
  ],
  'has a list as a connection variable': [
    host('ansible_user=[1,2]'),
    `error: db1: ansible_user should be a text, got [1,2]
   at DIR/hosts.ini:2
   Set it in the inventory: ssh: { … }.`,
  ],
  'has a template as a connection variable': [
    host('ansible_user="{{ me }}"'),
    `error: db1: ansible_user is an Ansible template ({{ … }})
   at DIR/hosts.ini:2
   Set it in the inventory: ssh: { … }.`,
  ],
  'has an invalid section': [
    ini('[web servers]\n'),
    `error: This is not a valid section
   at DIR/hosts.ini:1
   [web servers]
   A group name has no spaces and no colons; a comment after it begins with #.`,
  ],
  'has an undeclared group': [
    ini('[db]\ndb1\n[all:children]\ndb\nbd\n'),
    `error: There is no group "bd"
   at DIR/hosts.ini:5
   bd
   Declare it with a section: [bd].`,
  ],
  'has a group within itself': [
    ini('[db:children]\ndb\n'),
    `error: The groups "db" and "db" contain each other
   at DIR/hosts.ini:2
   db
   Remove one of them from the other.`,
  ],
  'has two groups within each other': [
    ini('[db:children]\nweb\n[web:children]\ndb\n'),
    `error: The groups "web" and "db" contain each other
   at DIR/hosts.ini:4
   db
   Remove one of them from the other.`,
  ],
  'has two groups within each other, in YAML': [
    yaml('db:\n  children:\n    web:\n      children:\n        db:\n'),
    `error: The groups "web" and "db" contain each other
   at DIR/hosts.yml:5
   Remove one of them from the other.`,
  ],
  'has an invalid child': [
    ini('[db:children]\nweb db\n'),
    `error: A line of a :children section should be a group name
   at DIR/hosts.ini:2
   web db`,
  ],
  'has an invalid host name': [
    ini('[db]\nuser@db1:22\n'),
    `error: "user@db1" is not a host name or address
   at DIR/hosts.ini:2
   user@db1:22`,
  ],
  'has an unclosed range': [
    ini('[db]\ndb[1:3\n'),
    `error: The range in "db[1:3" has no end
   at DIR/hosts.ini:2
   db[1:3`,
  ],
  'has a decreasing range': [
    ini('[db]\ndb[9:7]\n'),
    `error: The range [9:7] is not valid: its end is less than its begin
   at DIR/hosts.ini:2
   db[9:7]`,
  ],
  'has a range in an address': [
    ini('[db]\ndb[1:2] ansible_host=10.42.0.[31:32]\n'),
    `error: db1: ansible_host is not a name or address: 10.42.0.[31:32]
   at DIR/hosts.ini:2
   Ansible expands ranges only in host names. Write one line with an address for each host.`,
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
  'has an unknown tag': [
    yaml('all:\n  vars:\n    when: !moment 1\n'),
    `error: The tag !moment is not supported
   at DIR/hosts.yml:3
   Remove the tag.`,
  ],
  'has a tag that does not match its value': [
    yaml('all:\n  vars:\n    count: !!int many\n'),
    `error: This is not a valid !!int: many
   at DIR/hosts.yml:3
   Remove the tag.`,
  ],
  'has a list as a key': [
    yaml('? [a]\n: 1\n'),
    `error: A key is a list or a mapping, which Ansible rejects
   at DIR/hosts.yml:1
   Use a name.`,
  ],
  'has a date as a key': [
    yaml('all:\n  vars:\n    2024-01-31: 1\n'),
    `error: A key is not supported: 2024-01-31
   at DIR/hosts.yml:3
   Quote it to make it a string.`,
  ],
  'merges something other than a mapping': [
    yaml('all:\n  vars:\n    <<: 1\n'),
    `error: << should name a mapping, or a list of mappings
   at DIR/hosts.yml:3
   Use an alias: <<: *name.`,
  ],
  'uses an undefined anchor': [
    yaml('all:\n  vars:\n    a: *b\n'),
    `error: There is no anchor &b above
   at DIR/hosts.yml:3
   Define it before, or quote the text.`,
  ],
  'has a reserved value': [
    yaml('all:\n  vars:\n    a: =\n'),
    `error: The value = has a special meaning in YAML 1.1
   at DIR/hosts.yml:3
   Quote it to make it a string.`,
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
  'has an invalid port': [
    host('ansible_port=ssh'),
    `error: db1: ansible_port should be a port from 1 to 65535, got ssh
   at DIR/hosts.ini:2`,
  ],
  'has an invalid boolean': [
    host('ansible_become=maybe'),
    `error: db1: ansible_become should be true or false, got maybe
   at DIR/hosts.ini:2`,
  ],
  'becomes another user than root': [
    host('ansible_become_user=postgres'),
    `error: db1: ansible_become_user postgres has no counterpart here
   at DIR/hosts.ini:2
   Steps run as root. To run a command as another user: as: 'name'.`,
  ],
  'has a number that is too large': [
    host('version=12345678901234567890'),
    `error: DIR/hosts.ini: version of db1 is a number that JavaScript cannot hold exactly
   at DIR/hosts.ini:2
   Quote it to make it a string: "'12345678901234567890'" in an INI file.`,
  ],
  'has a date': [
    { ...ini('[db]\ndb1 ansible_host=192.0.2.2\n'), 'group_vars/db.yml': 'other: 1\nversion: 2024-01-31\n' },
    `error: DIR/hosts.ini: version of db1 is a YAML date, which an inventory does not support
   at DIR/group_vars/db.yml:2
   Quote it to make it a string: '2024-01-31'.`,
  ],
}

describe('an invalid Ansible inventory', () => {
  let directory: string

  beforeEach(() => {
    directory = temporary()
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  for (const [what, [files, text, ask = group]] of Object.entries(CASES))
    it(`is reported with a next step if it ${what}`, async () => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true })
        writeFileSync(join(directory, name), content)
      }
      const [name = 'hosts'] = Object.keys(files)
      expect(await messageOf(ask, name.replace(/\/.*/, ''))).to.equal(text)
    })

  async function messageOf(ask: Ask, name: string): Promise<string> {
    const words = await wordsOf(async () => ask(await fromAnsible(join(directory, name), site)))
    return words.replaceAll(directory, 'DIR')
  }
})
