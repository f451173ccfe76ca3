import { expect } from 'chai'
import {
  absent,
  acl,
  after,
  ask,
  askEach,
  attributes,
  block,
  command,
  concat,
  copied,
  delegateTo,
  directory,
  file,
  flushHandlers,
  group,
  type Host,
  knownHosts,
  line,
  link,
  pkg,
  read,
  reloaded,
  replace,
  resource,
  role,
  Secret,
  service,
  setting,
  sh,
  sudoers,
  sysctl,
  transaction,
  unit,
  user,
  withOutput,
} from '../../src/index.ts'
import { converge, fakeHost } from '../../src/testing/index.ts'
import { wordsOf } from '../support/words.ts'
import { thrown } from '../transport/helpers.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIj0Xp8rkLtZ5LuWJ3S9JqCbU3sYxsYv3vP2yKb1uWkM'

const site = role('site', ({ domain }: { readonly domain: string }, { facts }) => [
  pkg('nginx'),
  transaction('nginx configuration', [file('/etc/nginx/site.conf', `${domain} ${facts.cpus}\n`)], {
    activate: reloaded('nginx'),
  }),
  file('/etc/logrotate.d/site', 'daily\n', { notify: reloaded('nginx') }),
  service('nginx'),
])

describe('a role on a fake host', () => {
  it('returns the plan and the result', async () => {
    const host = fakeHost({ facts: { cpus: 8 }, files: { '/etc/logrotate.d/site': 'weekly\n' } })
    const run = await converge(site({ domain: 'a.test' }), host)
    expect(run.plan).to.deep.equal([
      'install package nginx',
      'change transaction nginx configuration',
      'change file /etc/logrotate.d/site',
      'start service nginx',
    ])
    expect(run.handlers).to.deep.equal(['reload nginx'])
    expect(run.files['/etc/nginx/site.conf']).to.include({ text: 'a.test 8\n', owner: 'root', mode: '0644' })
    expect(run.commands.map(({ of }) => of)).to.include.members(['package nginx', 'handler reload nginx'])
  })

  it('changes nothing in a second run', async () => {
    const host = fakeHost()
    await converge(site({ domain: 'a.test' }), host)
    const again = await converge(site({ domain: 'a.test' }), host)
    expect(again).to.deep.include({ plan: [], handlers: [], commands: [] })
  })

  it('takes the initial state of the test', async () => {
    const host = fakeHost({
      packages: ['nginx'],
      services: { nginx: 'running' },
      files: { '/etc/nginx/site.conf': 'a.test 2\n', '/etc/logrotate.d/site': 'daily\n' },
    })
    expect((await converge(site({ domain: 'a.test' }), host)).plan).to.deep.equal([])
  })

  it('fails if two steps contradict each other', async () => {
    const steps = [file('/etc/motd', 'one\n'), file('/etc/motd', 'two\n')]
    const error = await thrown(converge(steps, fakeHost()))
    expect(String(error)).to.include('host1: file /etc/motd did not converge')
  })

  it('converges with each kind that simulates its change', async () => {
    const steps = [
      user('app', { home: '/srv/app' }),
      directory('/srv/app', { owner: 'app' }),
      link('/srv/app/current', { target: 'releases/1' }),
      file('/srv/app/here', 'x', { follow: true }),
      line('/etc/hosts', '10.0.0.1 db1'),
      line('/etc/login.defs', 'UMASK 027', { match: /^UMASK/ }),
      line.absent('/etc/login.defs', 'A 1'),
      block('/etc/login.defs', 'mail', 'MAIL_DIR /var/mail'),
      replace('/etc/login.defs', /^B 1/, 'B 2'),
      setting('/etc/app/config.json', ['log', 'size'], 10),
      copied('/etc/login.defs', '/etc/login.defs.copy'),
      attributes('/etc/login.defs', { mode: '0600' }),
      acl('/etc/login.defs', { 'user:app': 'r' }),
      concat('/etc/fragments', 'a', 'one'),
      knownHosts('git.test', [KEY]),
      sudoers('app', 'app ALL=(root) NOPASSWD: /usr/bin/true'),
      absent('/etc/old'),
      sysctl('vip', { 'net.ipv4.ip_nonlocal_bind': 1 }),
      unit('app.service', '[Service]\n'),
      command('index', sh`app index`, { creates: '/srv/app/index' }),
      command('migrate', sh`app migrate`, { unless: sh`app migrated`, as: 'app' }),
      service('app', { state: 'stopped' }),
    ]
    const host = fakeHost({
      files: { '/etc/old/a': '', '/etc/login.defs': 'A 1\nUMASK 022\nB 1\n' },
      services: { app: 'running' },
    })
    const run = await converge(steps, host)
    expect(run.plan).to.have.length(steps.length)
    expect(run.files['/etc/login.defs']?.text).to.equal(
      'UMASK 027\nB 2\n# BEGIN provision mail\nMAIL_DIR /var/mail\n# END provision mail\n',
    )
    expect(run.files).not.to.have.any.keys('/etc/old', '/etc/old/a')
    expect(run.commands).to.deep.include({ of: 'command migrate', script: 'app migrate', as: 'app' })
    expect((await converge(steps, host)).plan).to.deep.equal([])
  })

  it('runs handlers at their place, and makes steps from the output that the test gives', async () => {
    const host = fakeHost({ answers: (script) => (script === 'app token' ? 'abc' : undefined) })
    const steps = [
      file('/etc/app', '', { notify: reloaded('app') }),
      flushHandlers(),
      withOutput(command('token', sh`app token`, { creates: '/srv/made' }), (text) => file('/etc/token', text)),
    ]
    const run = await converge(steps, host)
    expect(run.plan).to.deep.equal(['create file /etc/app', 'run command token'])
    expect(run.commands.map(({ of }) => of).filter((of) => !of.startsWith('file'))).to.deep.equal([
      'handler reload app',
      'command token',
    ])
    expect(run.files['/etc/token']?.text).to.equal('abc')
    expect((await converge(steps, host)).plan).to.deep.equal([])
  })

  it('masks secrets, and returns them on request', async () => {
    const password = new Secret(() => 'correct horse')
    const run = await converge(file('/etc/app/password', password), fakeHost())
    const { text, mode, secret } = run.files['/etc/app/password'] ?? {}
    expect({ text, mode }).to.deep.equal({ text: undefined, mode: '0600' })
    expect(JSON.stringify(run)).not.to.include('correct')
    expect(secret?.reveal()).to.equal('correct horse')
  })

  it('takes only absolute paths', async () => {
    expect(await wordsOf(() => fakeHost({ files: { 'etc/motd': '' } }))).to.equal(
      'error: A fake host takes absolute paths, not etc/motd',
    )
  })

  it('gets the answers of the test, for its host and others', async () => {
    const db1: Host = { name: 'db1', group: 'db', address: '10.0.0.1' }
    const primary = ask(
      'is it the primary?',
      read(sh`pg_is_primary`, ({ stdout }) => stdout === 'yes'),
    )
    const steps = [
      command('reindex', sh`app reindex`, { unless: sh`app indexed` }),
      after(askEach(group('db', [db1]), primary), ([one]) => file('/etc/db', `${one?.host.name} ${one?.answer}`)),
      delegateTo(db1, file('/etc/allowed', 'app')),
    ]
    const other = fakeHost({
      name: 'db1',
      answers: (script) => (script.includes('pg_is_primary') ? 'yes' : undefined),
    })
    const host = fakeHost({
      others: [other],
      answers: (script) => (script.includes('app indexed') ? { code: 0 } : undefined),
    })
    const run = await converge(steps, host)
    expect(run.plan).to.deep.equal(['create file /etc/db', 'create file /etc/allowed on db1'])
    expect(run.files['/etc/db']?.text).to.equal('db1 true')
    expect(other.files['/etc/allowed']?.text).to.equal('app')
    expect(await wordsOf(() => converge(steps, fakeHost()))).to.equal(`error: The test has no fake host db1
   Add it to the host under test: fakeHost({ others: [fakeHost({ name: 'db1' })] }).`)
  })

  it('plans a custom kind without simulate again, and converges with one that has it', async () => {
    const there = (path: string) => sh`test -e ${path}`
    const of = {
      id: (path: string) => path,
      read: (path: string) => read(there(path), ({ code }) => code === 0),
      diff: (_path: string, have: boolean) => (have ? undefined : { action: 'create' as const, fields: [] }),
      apply: (path: string) => [sh`touch ${path}`],
    }
    const mute = resource('flag', of)
    const telling = resource('flag', { ...of, simulate: (path, { holds }) => holds(there(path).text) })
    const host = fakeHost()
    await converge([mute('/a'), telling('/b')], host)
    expect((await converge([mute('/a'), telling('/b')], host)).plan).to.deep.equal(['create flag /a'])
  })
})
