import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { findCompiler } from '../../src/cli/load/compiler.ts'
import { controllerFindings } from '../../src/doctor/controller.ts'
import { plain } from '../../src/report/problem.ts'
import { verifyTable } from '../../src/report/tables/verify.ts'
import { temporary } from '../support/rig.ts'
import { Project } from './project.ts'

const PLAYBOOK = `import { file, hosts, play, playbook, inventorySchema, text } from 'provision-ts'
export const site = inventorySchema({ web: hosts() })
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => file('/etc/a', 'a'))], {
  flags: { release: text },
})
`
const INVENTORY = `import { inventory } from 'provision-ts'
import { site } from './deploy.ts'
export default inventory(site, {
  web: { hosts: { web1: { address: '127.0.0.1', ssh: { port: 1, hostKey: 'SHA256:${'a'.repeat(43)}' } } } },
})
`
const NOTE = '.provision/unfinished.json'
const AGAIN = `Remove it (rm ${NOTE}), and run that command again for all hosts: what is done is not done twice.`
const THERE = 'See which runs there are: provision report --list'
const DEPLOY = './deploy.ts -i inventory.ts --no-type-check'

type Case = readonly [words: string, text: string, there?: Readonly<Record<string, string>>]

/** What a command refuses, whole; nobody is at a terminal. */
const CASES: Readonly<Record<string, Case>> = {
  'a word is given that is no flag': [
    `${DEPLOY} web1`,
    `error: Nothing is to be done with the word "web1"
   The playbook goes first, then its flags: provision deploy --release 42.`,
  ],
  'a flag of a playbook is given without its value': [
    `${DEPLOY} --release`,
    'error: --release: is missing its value; it should be a text',
  ],
  'a verification is something else': [
    'verify ./deploy.ts -i inventory.ts --no-type-check',
    `error: deploy.ts does not export a verification
   It should have: export default verification(…).`,
  ],
  'a plan is made of hosts that are not there': [
    `plan ${DEPLOY} --release 1 --out plan.json`,
    `error: web1 refuses connections at port 1
   we tried root@127.0.0.1:1
   Is the host up, does sshd run, and at this port?
web1 unreachable
1 host unreachable; 0 of 0 steps changed on 1 host. (TIME, at most 0 round trips per host, 0 KiB)
error: No plan was kept: not every host could be read.
   Mend what is said of those above, or plan without them: --limit.`,
  ],
  'a plan is something else': [
    'apply package.json',
    `error: package.json is no plan
   Make one: provision plan --out package.json`,
  ],
  'a plan is not there': [
    'apply friday.json',
    `error: The plan friday.json cannot be read: ENOENT: no such file or directory, open 'friday.json'
   Make one: provision plan --out friday.json`,
  ],
  'a password is to be asked for': [
    `${DEPLOY} --release 1 --ask-become-password`,
    `error: Password for sudo: there is no terminal to ask in
   Give it in the inventory, for example by secret.env(…).`,
  ],
  'each step is to be asked for': [
    `${DEPLOY} --release 1 --step`,
    `error: --step asks before each step, and there is no terminal to ask in
   Leave it away, or see with --check what a run would do.`,
  ],
  'what is to be resumed was written by another version': [
    'resume',
    `error: ${NOTE} was not written by this version of provision
   ${AGAIN}`,
    { [NOTE]: '{ "provision": 2 }' },
  ],
  'what is to be resumed was cut off': [
    'resume',
    `error: ${NOTE} cannot be read: Unexpected end of JSON input
   ${AGAIN}`,
    { [NOTE]: '' },
  ],
  'a run may be one of two': [
    'report 2026',
    `error: 2026 may be 20260102-030405-abcd or 20260102-030405-0123
   ${THERE}.`,
    { '.provision/runs/20260102-030405-0123.jsonl': '', '.provision/runs/20260102-030405-abcd.jsonl': '' },
  ],
  'the journal of a run was cut off': [
    'report abcd',
    `error: The journal of abcd cannot be read: Unexpected end of JSON input
   ${THERE}`,
    { '.provision/runs/20260102-030405-abcd.jsonl': '' },
  ],
  'a journal is not there': [
    'report other.jsonl',
    `error: The journal other.jsonl cannot be read: ENOENT
   ${THERE}`,
  ],
  'the folder of journals is a file': [
    'report',
    `error: .provision/runs cannot be read: ENOTDIR
   It should be a folder of your own. Move away what is there: the next run makes it.`,
    { '.provision/runs': '' },
  ],
}

describe('the refusal of a command', function () {
  this.slow('5s')
  let project: Project

  before(() => {
    project = new Project({ 'deploy.ts': PLAYBOOK, 'inventory.ts': INVENTORY })
  })
  after(() => project.remove())

  for (const [when, [words, text, there = {}]] of Object.entries(CASES))
    it(`says what, and what next, when ${when}`, async () => {
      rmSync(join(project.directory, '.provision'), { recursive: true, force: true })
      for (const [path, content] of Object.entries(there)) project.write(path, content)
      const { code, out, err } = await project.provision(...words.split(' '))
      // What is refused before any host is asked is bad input; a host that is not there is not.
      expect(code).to.equal(when === 'a plan is made of hosts that are not there' ? 3 : 64)
      expect((out + err).replace(/\([\d.]+ s,/, '(TIME,').trimEnd()).to.equal(text)
    })
})

describe('provision ssh', () => {
  it('says what to install where there is no ssh', async () => {
    const project = new Project({ 'deploy.ts': PLAYBOOK, 'inventory.ts': INVENTORY })
    const { PATH } = process.env
    process.env['PATH'] = project.directory
    try {
      const { code, err } = await project.provision('ssh', 'web1', '-i', 'inventory.ts', '--no-type-check')
      expect([code, err]).to.deep.equal([
        64,
        'error: There is no ssh on this machine\n   Install openssh-client.\n',
      ])
    } finally {
      process.env['PATH'] = PATH
      project.remove()
    }
  })
})

describe('this machine, when it has no TypeScript compiler', () => {
  it('is told so by the doctor, with the command that installs one', async () => {
    const bare = temporary()
    try {
      const own = { root: `${bare}/`, compiled: `${bare}/` }
      const [, found] = await controllerFindings(findCompiler(join(bare, 'inventory.ts'), own))
      const findings = found ? [found] : []
      const told = verifyTable({ findings, hosts: [], unreachable: new Map(), ms: 0 }, plain)
      expect(told).to.equal(`target        check       result  value
this machine  TypeScript  failed  not there
    There is no TypeScript compiler, so types are not checked.
    npm install --save-dev typescript
1 check on 0 hosts: 0 passed, 1 failed. (0.00 s)`)
    } finally {
      rmSync(bare, { recursive: true })
    }
  })
})
