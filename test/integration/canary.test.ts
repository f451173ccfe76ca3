import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect } from 'chai'
import { $ } from 'zx'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { quote } from '../../src/shell/sh.ts'
import { type Watch, watchHere, watchOn } from './proc-watch.ts'
import { Desk, freshLab, noHosts, provision, ROOT } from './support.ts'

const LAB = 'test-canary'
const HOSTS = ['web1', 'web2']
/** The only files on the hosts that may contain the secret. */
const FILES = ['file', 'template', 'transaction', 'stdin'].map((name) => `/etc/canary/${name}`)

/** Uses a secret in every supported way and searches all places where it must not be. */
describe('a secret on real hosts', function () {
  this.slow('1m')
  let lab: Lab
  let desk: Desk
  const canary = `Canary${randomBytes(9).toString('hex')}`
  /** Contains characters that need escaping in shells, URLs or JSON. */
  const value = `it's "${canary}" $HOME \\ %s ü/+`
  const began = new Date()
  let words: readonly string[]

  before(async function () {
    if (noHosts()) return this.skip()
    desk = new Desk()
    lab = await freshLab({ name: LAB, hosts: HOSTS })
    words = [canary, lab.secret('operator')]
    writeFileSync(desk.write('canary.txt', `${value}\n`), `${value}\n`, { mode: 0o600 })
    desk.write('operator.txt', lab.secret('operator'))
    const identity = await generateIdentity()
    const encrypter = new Encrypter()
    encrypter.addRecipient(await identityToRecipient(identity))
    writeFileSync(join(desk.directory, 'canary.age'), await encrypter.encrypt(value))
    desk.write('keys.txt', identity)
    mkdirSync(join(desk.directory, 'templates'))
    desk.write('templates/canary.ejs', '<%# ({ password }: { password: unknown }) -%>\nword = <%= password %>\n')
    desk.write('package.json', '{ "type": "module" }')
    desk.write('stack.ts', STACK)
    desk.write('inventory.ts', INVENTORY)
    desk.write('playbook.ts', PLAYBOOK)
  })

  after(async () => {
    desk?.remove()
    if (!noHosts()) await downLab(LAB)
  })

  const at = (name: string) => join(desk.directory, name)
  const args = (...more: string[]) => ['--inventory', at('inventory.ts'), at('playbook.ts'), '--no-type-check', ...more]
  const env = () => ({ LAB, DESK: desk.directory })
  const run = (...more: string[]) => provision(args(...more), env())

  /** Watches the processes of this machine and of all hosts while the body runs. */
  async function watched(body: () => Promise<void>, looked = words) {
    const watches: Watch[] = [watchHere(looked), ...HOSTS.map((host) => watchOn(lab, host, looked))]
    await body().catch(async (error) => {
      await Promise.all(watches.map((watch) => watch.end()))
      throw error
    })
    return Promise.all(watches.map((watch) => watch.end()))
  }

  /** The files of a host that contain one of the words, with their modes. */
  const filesWith = async (host: string, looked = words): Promise<readonly string[]> =>
    (await onHost(host, looked, `grep -rlaFf - ${PLACES} 2>/dev/null | sort | xargs -r stat -c '%n %a'`)).filter(
      (line) => line !== '',
    )

  /** The lines of a host's journal that contain one of the words. */
  const journalWith = (host: string, looked = words) =>
    onHost(
      host,
      looked,
      'cat > /dev/shm/words; journalctl --all --no-pager | grep -aFf /dev/shm/words; rm /dev/shm/words',
    )

  async function onHost(host: string, looked: readonly string[], script: string): Promise<readonly string[]> {
    const backwards = looked.map((word) => [...word].reverse().join('')).join(' ')
    const print = `perl -e 'print map { scalar(reverse) . "\\n" } @ARGV' ${backwards}`
    const { stdout } = await lab.exec(host, `${print} | { ${script}; }`)
    return stdout.split('\n').filter((line) => line !== '')
  }

  const hides = (text: string) => {
    for (const word of words) {
      for (const form of [word, encodeURIComponent(word)]) expect(text).not.to.include(form)
      for (const before of ['', 'a', 'ab'])
        expect(text).not.to.include(
          Buffer.from(before + word)
            .toString('base64')
            .slice(4, -4),
        )
    }
  }

  it('is in no output: plan, diff, JSON, errors, stack traces, live rows', async () => {
    const found = await watched(async () => {
      for (const more of [
        ['--check', '--diff', '-vvv'],
        ['--diff', '-vvv'],
        ['--diff', '--output', 'json'],
        ['--output', 'plain'],
      ]) {
        const { code, text } = await provision(args(...more), { ...env(), TROUBLE: '1' })
        expect(code, text).to.equal(more.includes('--check') ? 2 : 1)
        hides(text)
        if (!more.includes('--check'))
          expect(text, more.join(' '))
            .to.match(/error|failed/)
            .and.include('***')
      }
      const command = [process.execPath, 'bin/provision.js', ...args('--diff')].map(quote).join(' ')
      const terminal = $({
        cwd: ROOT,
        quiet: true,
        nothrow: true,
        env: { ...process.env, ...env(), TROUBLE: '1' },
      })
      const { stdout } = await terminal`script -qec ${command} /dev/null`
      expect(stdout).to.include('***')
      hides(stdout)
    })
    expect(found.flatMap(({ seen }) => seen)).to.deep.equal([])
    for (const { rounds } of found) expect(rounds).to.be.greaterThan(100)
  })

  it('is in no process list and no environment while it is used, on the hosts and on the controller', async () => {
    for (const host of HOSTS) await lab.exec(host, 'rm -rf /etc/canary')
    const found = await watched(async () => {
      const first = await run('--diff', '-vvv')
      expect(first.code, first.text).to.equal(0)
      hides(first.text)
      const again = await run('-vvv')
      expect(again.text).to.include('No changes')
      hides(again.text)
    })
    expect(found.flatMap(({ seen }) => seen)).to.deep.equal([])
  })

  it('is only in its own files, which only their owner can read', async () => {
    for (const host of HOSTS) {
      expect(await filesWith(host)).to.deep.equal([...FILES].sort().map((file) => `${file} 600`))
      expect((await lab.exec(host, 'cat /etc/canary/file /etc/canary/stdin')).stdout).to.equal(value + value)
      expect((await lab.exec(host, 'cat /etc/canary/template')).stdout).to.equal(`word = ${value}\n`)
    }
  })

  it('is in no log of a host, and in no file of this machine', async () => {
    for (const host of HOSTS) expect(await journalWith(host)).to.deep.equal([])
    const plan = await provision(['plan', '--out', at('plan.json'), ...args('--diff')], env())
    hides(plan.text)
    hides(readFileSync(at('plan.json'), 'utf8'))
    const pattern = desk.write('words', `${canary}\n`)
    const since = began.toISOString()
    // The journals of the runs above are among them.
    expect(readdirSync(join(ROOT, '.provision/runs'))).not.to.have.length(0)
    const kept = ['node_modules/.cache', '.provision'].map((folder) => join(ROOT, folder))
    const places = ['/tmp', '/run', '/var/log', '/var/tmp', '/dev/shm', ...kept]
    const { stdout } = await $({
      quiet: true,
      nothrow: true,
    })`find ${places} -xdev -type f -newermt ${since} -size -64M -not -path ${`${desk.directory}/*`} -exec grep -laFf ${pattern} {} +`
    expect(stdout).to.equal('')
  })

  it('would be found: in arguments, in an environment, in a log, in a file', async () => {
    const control = `Control${randomBytes(9).toString('hex')}`
    desk.write('playbook.ts', controlPlaybook(control))
    const found = await watched(async () => {
      const { code, text } = await run()
      expect(code, text).to.equal(0)
    }, [control])
    for (const { seen } of found) {
      expect(seen.join('\n'))
        .to.match(/cmdline: perl/)
        .and.match(/environ: /)
    }
    expect((await journalWith('web1', [control])).join()).to.include('a slip')
    expect(await filesWith('web1', [control])).to.include('/var/tmp/control 644')
  })
})

const PLACES = '/boot /dev/shm /etc /home /media /mnt /opt /root /run /srv /tmp /usr/local /var'

const STACK = `
import { credential, hosts, record, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ passwords: record({ file: credential, command: credential, age: credential }), web: hosts() })
`

const INVENTORY = `
import { inventory, secret } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'
const desk = process.env.DESK
const lab = openLab(process.env.LAB)
const at = (name: string) => {
  const { address, ssh } = lab.host(name)
  return { address, ssh: { ...ssh, user: 'operator' } }
}
export default inventory(site, {
  become: { password: secret.file(desk + '/operator.txt') },
  passwords: {
    file: secret.file(desk + '/canary.txt'),
    command: secret.command('cat', desk + '/canary.txt'),
    age: secret.age(desk + '/canary.age', { identity: desk + '/keys.txt' }),
  },
  web: { hosts: { web1: at('web1'), web2: at('web2') } },
})
`

/** Slow steps, so that the process watcher sees them; with TROUBLE each host fails in a different way, with output. */
const PLAYBOOK = `
import { command, directory, file, handler, play, playbook, resource, read, role, type Secret, secret, sh, template, transaction } from 'provision-ts'
import { site } from './stack.ts'
const text = template<{ password: Secret }>(import.meta, 'canary.ejs')
const trouble = process.env.TROUBLE
const account = resource('account', {
  id: ({ name }: { name: string; password: Secret }) => name,
  read: () => read(sh\`test -e /etc/canary/account && echo yes\`, ({ stdout }) => stdout !== ''),
  diff: ({ name }, have) => (have ? undefined : { action: 'create', fields: [{ name: 'account', to: name }] }),
  apply: ({ name, password }) => [
    { script: sh\`cat > /dev/null; sleep 0.4\`, as: 'daemon', input: secret.text\`create role \${name} password '\${password}'\` },
    sh\`touch /etc/canary/account\`,
  ],
})
const canary = role('canary', ({ name, passwords }: { name: string; passwords: Record<'file' | 'command' | 'age', Secret> }) => [
  directory('/etc/canary'),
  file('/etc/canary/file', passwords.file),
  file('/etc/canary/template', text({ password: passwords.command })),
  account({ name: 'notes', password: passwords.age }),
  command('stdin', sh\`umask 077; cat > /etc/canary/stdin; sleep 0.4\`, { input: passwords.age, creates: '/etc/canary/stdin' }),
  trouble && name === 'web2' && command('talks', sh\`tee /dev/stderr /proc/self/fd/2 | base64 -w0; exit 3\`, { input: secret.text\`user:\${passwords.file}\`, unless: sh\`false\` }),
  transaction('canary', [file('/etc/canary/transaction', secret.text\`a line
password=\${passwords.command}
\`)], {
    validate: sh\`sleep 0.3; cat /etc/canary/transaction; \${trouble ? sh\`cat /etc/canary/transaction >&2; exit 1\` : sh\`true\`}\`,
    activate: handler('use it', sh\`sleep 0.3\`),
  }),
])
export default playbook(site, ({ web, passwords }) => [play('web', { hosts: web }, ({ name }) => canary({ name, passwords }))])
`

function controlPlaybook(control: string): string {
  return `
import { command, play, playbook, sh } from 'provision-ts'
import { site } from './stack.ts'
export default playbook(site, ({ web }) => [play('web', { hosts: web }, () => [
  command('leak', sh\`echo \${'${control}'} > /var/tmp/control; logger a slip \${'${control}'}
LEAK=\${'${control}'} perl -e 'sleep 1' \${'${control}'}\`, { creates: '/var/tmp/control' }),
])])
`
}
