import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { elapsed } from '../../src/shell/duration.ts'
import { noHosts } from '../integration/support.ts'
import { copyProject } from '../support/project-copy.ts'
import { keepRuns, record } from '../support/results.ts'
import { type Ended, Ground } from './ground.ts'

// Runs a real `vagrant up` from nothing, with the Vagrantfile as it ships, and removes everything at the end.

const { values } = parseArgs({
  options: {
    /** Uses the set of machines for a small laptop. */
    small: { type: 'boolean', default: false },
  },
})
const why = noHosts()
if (why) {
  console.log(`The Vagrantfile was not tried: ${why}.`)
  process.exit(0)
}
if (values.small) process.env['LAB_SIZE'] = 'small'

const SITE = ['--inventory', 'inventory/vagrant.ts']
const ADDRESS = '192.168.56.10'
let failed = 0

/** Ctrl-C ends the current command of Vagrant; then everything is removed. */
let stopped = false
process.on('SIGINT', () => {
  stopped = true
})
const began = performance.now()
const ground = await Ground.made((line) => console.log(`  ${line}`))
/** Provision stores its certificate authority and state below the working directory: the test has its own. */
const project = join(ground.directory, 'project')
try {
  mkdirSync(project)
  copyProject(project)
  const here = { cwd: project }
  await step('before `vagrant up`, provision says what to do', () => ground.provision(SITE, here), {
    code: 64,
    says: /No machine of the Vagrantfile is up\.\n\s+Run: vagrant up/,
  })
  await step('a Vagrantfile that Vagrant does not read', () => withVagrantfile('Vagrant.configure("2") do'), {
    code: 64,
    says: /does not get along with the Vagrantfile[\s\S]*syntax error[\s\S]*vagrant validate/,
  })
  await step(
    'a plugin that is missing',
    () => ground.run(['vagrant', 'up'], { ...here, env: { VAGRANT_DEFAULT_PROVIDER: 'libvirt' } }),
    {
      code: 1,
      says: /provider 'libvirt' could not be found/,
    },
  )
  await step('vagrant up web1', () => ground.run(['vagrant', 'up', 'web1'], here), { code: 0 })
  await step('with one machine up, provision names the next', () => ground.provision(SITE, here), {
    code: 64,
    says: /lb1 is not up\.\n\s+Run: vagrant up lb1/,
  })
  await step('vagrant up', () => ground.run(['vagrant', 'up'], here), { code: 0 })
  await step('provision', () => ground.provision(SITE, here), { code: 0 })
  await step('provision again', () => ground.provision(SITE, here), {
    code: 0,
    says: /No changes/,
  })
  await step('verify', () => ground.provision(['verify', ...SITE, '--within', '60s'], here), {
    code: 0,
    says: /\d+ checks on \d+ hosts: \d+ passed\./,
  })
  for (const place of [`443:${ADDRESS}`, '8443:127.0.0.1', '8444:127.0.0.1'])
    await step(`a browser of this machine gets the page at ${place}`, () => page(place), {
      code: 0,
      says: /<html/,
    })
  await step('vagrant halt', () => ground.run(['vagrant', 'halt'], here), { code: 0 })
  await step('vagrant up', () => ground.run(['vagrant', 'up'], here), { code: 0 })
  await step('verify, with no command given', () => ground.provision(['verify', ...SITE, '--within', '120s'], here), {
    code: 0,
    says: /\d+ checks on \d+ hosts: \d+ passed\./,
  })
  await step(
    'a machine that shows another host key',
    async () => {
      await ground.must(
        ['vagrant', 'ssh', 'web1', '-c', 'sudo rm /etc/ssh/ssh_host_*; sudo systemctl restart ssh'],
        here,
      )
      return ground.provision([...SITE, '--check'], here)
    },
    { code: 3, says: /web1[\s\S]*SHA256/ },
  )
  await step('vagrant destroy', () => ground.run(['vagrant', 'destroy', '-f'], here), { code: 0 })
} finally {
  keepRuns(project)
  await ground.down()
}
console.log(
  `${failed === 0 ? 'All as it should be' : `${failed} not as it should be`}, in ${elapsed(performance.now() - began)}.`,
)
process.exitCode = failed === 0 && !stopped ? 0 : 1

interface Wanted {
  readonly code: number
  readonly says?: RegExp
}

async function step(what: string, act: () => Promise<Ended>, { code, says = /(?:)/ }: Wanted): Promise<void> {
  if (stopped) return
  const ended = await act()
  if (stopped) return
  const good = ended.code === code && says.test(ended.text)
  console.log(`${good ? '✓' : '✗'} ${what} (${elapsed(ended.seconds * 1000)})`)
  const { seconds } = ended
  if (good) return record({ suite: 'vagrant', name: what, outcome: 'passed', seconds })
  failed++
  const wrong = `status ${ended.code}, not ${code}${says.test(ended.text) ? '' : `; it does not say ${says}`}:`
  const last = ended.text.split('\n').slice(-40)
  record({ suite: 'vagrant', name: what, outcome: 'failed', seconds, said: [wrong, ...last].join('\n') })
  console.log([`  ${wrong}`, ...last.map((line) => `    ${line}`)].join('\n'))
}

/** Fetches the page like a browser on the machine that runs Vagrant. */
function page(place: string): Promise<Ended> {
  const [port] = place.split(':')
  const authority = join(project, '.provision/vagrant-pki/authority.pem')
  const curl = ['curl', '-sS', '--max-time', '5', '--cacert', authority]
  return ground.run([...curl, '--resolve', `notes.test:${place}`, `https://notes.test:${port}/`])
}

async function withVagrantfile(text: string): Promise<Ended> {
  const path = join(project, 'Vagrantfile')
  const before = readFileSync(path)
  writeFileSync(path, text)
  try {
    return await ground.provision(SITE, { cwd: project })
  } finally {
    writeFileSync(path, before)
  }
}
