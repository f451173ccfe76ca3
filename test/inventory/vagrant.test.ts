import { execFile } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import type { AbsolutePath } from '../../src/resources/files/stat.ts'
import { Project } from '../cli/project.ts'
import { temporary } from '../support/rig.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** The output of the programs that the inventory runs: their texts, and the exit status in them. */
type Said = Readonly<Record<'status' | 'ssh-config' | 'ssh-keyscan', string>>

const UP = `echo '1764000000,lb1,state,running'; echo '1764000000,lb2,state,poweroff'`
const LOGIN = `printf 'Host lb1\\n  HostName 127.0.0.1\\n  User vagrant\\n  Port 2222\\n  IdentityFile /dev/null\\n'`
const KEY = `echo '[127.0.0.1]:2222 ssh-ed25519 ${Buffer.from('a key').toString('base64')}'`
const WELL: Said = { status: UP, 'ssh-config': LOGIN, 'ssh-keyscan': KEY }

const CASES: Readonly<Record<string, readonly [said: Said | undefined, text: string]>> = {
  'Vagrant is not there': [
    undefined,
    `error: Vagrant is not installed.
   Install it, or use the lab: provision lab up`,
  ],
  'Vagrant cannot read the Vagrantfile': [
    {
      ...WELL,
      status: `printf 'There is a syntax error in the following Vagrantfile.\\n\\nVagrantfile:7: syntax error\\n' >&2; exit 1`,
    },
    `error: Vagrant does not get along with the Vagrantfile of this folder.
   There is a syntax error in the following Vagrantfile.
   Vagrantfile:7: syntax error
   Fix it until this is content: vagrant validate`,
  ],
  'no machine is up': [
    { ...WELL, status: `echo '1764000000,lb1,state,not_created'` },
    `error: No machine of the Vagrantfile is up.
   Run: vagrant up`,
  ],
  'a machine does not answer': [
    {
      ...WELL,
      'ssh-keyscan': `printf '# 127.0.0.1:2222\\nconnect to 127.0.0.1 port 2222: Connection refused\\n' >&2; exit 1`,
    },
    `error: lb1 shows no host key at 127.0.0.1, port 2222.
   connect to 127.0.0.1 port 2222: Connection refused
   Check that it works: vagrant ssh lb1. If not: vagrant reload lb1`,
  ],
  'a machine of the site is not up': [
    WELL,
    `error: lb2 is not up.
   Run: vagrant up lb2`,
  ],
}

/** The full messages for machines that do not match the inventory. A script replaces Vagrant. */
describe('the inventory of Vagrant machines', function () {
  this.slow('5s')
  let project: Project

  before(() => {
    project = new Project({
      'inventory/vagrant.ts': `export { default } from '${ROOT}/inventory/vagrant.ts'\n`,
      'playbooks/site.ts': `export { default } from '${ROOT}/playbooks/site.ts'\n`,
    })
    // The package that the inventory imports.
    symlinkSync(join(ROOT, 'node_modules/execa'), join(project.directory, 'node_modules/execa'))
  })
  after(() => project.remove())

  for (const [when, [said, text]] of Object.entries(CASES))
    it(`reports the problem and the next action if ${when}`, async () => {
      const { code, words } = await provision(project.directory, programs(project.directory, said))
      expect(words).to.equal(text)
      expect(code).to.equal(64)
    })
})

/** Creates a folder of programs with this output; an empty one without output. */
function programs(within: AbsolutePath, said: Said | undefined): string {
  const directory = temporary(within)
  const texts: Readonly<Record<string, string>> = said
    ? {
        vagrant: `case $1 in status) ${said.status} ;; *) ${said['ssh-config']} ;; esac`,
        'ssh-keyscan': said['ssh-keyscan'],
      }
    : {}
  for (const [name, text] of Object.entries(texts))
    writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return directory
}

function provision(cwd: string, path: string): Promise<{ readonly code: number; readonly words: string }> {
  const { PROVISION_INVENTORY: _unset, ...env } = process.env
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [join(ROOT, 'bin/provision.js'), 'site', '-i', 'inventory/vagrant.ts', '--no-type-check'],
      // Coverage of another project must not count for this one.
      { cwd, env: { ...env, NO_COLOR: '1', NODE_V8_COVERAGE: '', PATH: path } },
      (_error, out, err) => done({ code: child.exitCode ?? -1, words: (out + err).trimEnd() }),
    )
  })
}
