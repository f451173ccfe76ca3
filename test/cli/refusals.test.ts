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
const AGAIN = `Remove it (rm ${NOTE}), then repeat the run for all hosts: completed steps change nothing.`
const LIST = 'To list the runs: provision report --list'
const DEPLOY = './deploy.ts -i inventory.ts --no-type-check'

type Case = readonly [words: string, text: string, there?: Readonly<Record<string, string>>]

/** Complete messages, without a terminal. */
const CASES: Readonly<Record<string, Case>> = {
  'an argument is unexpected': [
    `${DEPLOY} web1`,
    `error: Unexpected argument "web1"
   The playbook comes first, then its options: provision deploy --release 42.`,
  ],
  'an option of a playbook has no value': [`${DEPLOY} --release`, 'error: Option --release needs a value: a text'],
  'a verification is a playbook': [
    'verify ./deploy.ts -i inventory.ts --no-type-check',
    `error: deploy.ts does not export a verification
   It must have: export default verification(…).`,
  ],
  'a host of a plan is unreachable': [
    `plan ${DEPLOY} --release 1 --out plan.json`,
    `error: web1 refuses the connection
   tried root@127.0.0.1:1
   Check that the host is up, that sshd runs, and the port.
web1 unreachable
1 host unreachable; 0 of 0 steps changed on 1 host. (TIME, at most 0 round trips per host, 0 KiB)
error: The plan was not saved: not all hosts could be read
   Fix the errors above, or exclude these hosts with --limit.`,
  ],
  'a file is not a saved plan': [
    'apply package.json',
    `error: package.json is not a saved plan
   To make a plan: provision plan --out package.json`,
  ],
  'a plan does not exist': [
    'apply friday.json',
    `error: Cannot read the plan friday.json: ENOENT: no such file or directory, open 'friday.json'
   To make a plan: provision plan --out friday.json`,
  ],
  '--ask-become-password has no terminal': [
    `${DEPLOY} --release 1 --ask-become-password`,
    `error: Password for sudo: cannot be asked without a terminal
   Set it in the inventory, for example with secret.env(…).`,
  ],
  '--step has no terminal': [
    `${DEPLOY} --release 1 --step`,
    `error: --step needs a terminal
   Run without it, or use --check to see the changes.`,
  ],
  'the unfinished run is from another version': [
    'resume',
    `error: ${NOTE} was written by another version of provision
   ${AGAIN}`,
    { [NOTE]: '{ "provision": 2 }' },
  ],
  'the record of the unfinished run is damaged': [
    'resume',
    `error: Cannot read ${NOTE}: Unexpected end of JSON input
   ${AGAIN}`,
    { [NOTE]: '' },
  ],
  'an ID matches two runs': [
    'report 2026',
    `error: 2026 matches 20260102-030405-abcd and 20260102-030405-0123
   ${LIST}`,
    { '.provision/runs/20260102-030405-0123.jsonl': '', '.provision/runs/20260102-030405-abcd.jsonl': '' },
  ],
  'the journal of a run is damaged': [
    'report abcd',
    `error: Cannot read the journal of abcd: Unexpected end of JSON input
   ${LIST}`,
    { '.provision/runs/20260102-030405-abcd.jsonl': '' },
  ],
  'a journal does not exist': [
    'report other.jsonl',
    `error: Cannot read the journal other.jsonl: ENOENT
   ${LIST}`,
  ],
  'the directory of journals is a file': [
    'report',
    `error: Cannot read .provision/runs: ENOTDIR
   It must be a directory of your own. Move the file away; the next run creates the directory.`,
    { '.provision/runs': '' },
  ],
}

describe('a rejected command', function () {
  this.slow('5s')
  let project: Project

  before(() => {
    project = new Project({ 'deploy.ts': PLAYBOOK, 'inventory.ts': INVENTORY })
  })
  after(() => project.remove())

  for (const [when, [words, text, there = {}]] of Object.entries(CASES))
    it(`prints the cause and the next step if ${when}`, async () => {
      rmSync(join(project.directory, '.provision'), { recursive: true, force: true })
      for (const [path, content] of Object.entries(there)) project.write(path, content)
      const { code, out, err } = await project.provision(...words.split(' '))
      // An unreachable host is not invalid input.
      expect(code).to.equal(when === 'a host of a plan is unreachable' ? 3 : 64)
      expect((out + err).replace(/\([\d.]+ s,/, '(TIME,').trimEnd()).to.equal(text)
    })
})

describe('provision ssh', () => {
  it('requires ssh', async () => {
    const project = new Project({ 'deploy.ts': PLAYBOOK, 'inventory.ts': INVENTORY })
    const { PATH } = process.env
    process.env['PATH'] = project.directory
    try {
      const { code, err } = await project.provision('ssh', 'web1', '-i', 'inventory.ts', '--no-type-check')
      expect([code, err]).to.deep.equal([
        64,
        'error: ssh is not installed on this machine\n   Install openssh-client.\n',
      ])
    } finally {
      process.env['PATH'] = PATH
      project.remove()
    }
  })
})

describe('provision doctor', () => {
  it('reports a missing TypeScript compiler with the command that installs it', async () => {
    const bare = temporary()
    try {
      const own = { root: `${bare}/`, compiled: `${bare}/` }
      const [, found] = await controllerFindings(findCompiler(join(bare, 'inventory.ts'), own))
      const findings = found ? [found] : []
      const table = verifyTable({ findings, hosts: [], unreachable: new Map(), ms: 0 }, plain)
      expect(table).to.equal(`target        check       result  value
this machine  TypeScript  failed  not there
    There is no TypeScript compiler, so types are not checked.
    npm install --save-dev typescript
1 check on 0 hosts: 0 passed, 1 failed. (0.00 s)`)
    } finally {
      rmSync(bare, { recursive: true })
    }
  })
})
