import { expect } from 'chai'
import {
  caCertificate,
  command,
  cron,
  directory,
  file,
  line,
  pkg,
  reloaded,
  role,
  service,
  sh,
  sudoers,
  sysctl,
  timer,
  transaction,
  unit,
  user,
  userGroup,
} from '../../src/index.ts'
import { converge, fakeHost } from '../../src/testing/index.ts'
import { selfSigned } from '../support/self-signed.ts'
import { thrown } from '../transport/helpers.ts'
import { ownLab } from './support.ts'

const AUTHORITY = selfSigned('root.test', 10)

const app = role('app', ({ greeting }: { readonly greeting: string }) => [
  pkg('nginx-light', 'cron'),
  userGroup('readers'),
  user('app', { home: '/srv/app', groups: ['readers'] }),
  directory('/srv/app', { owner: 'app' }),
  file('/srv/app/greeting', `${greeting}\n`, { owner: 'app', mode: '0640' }),
  sysctl('app', { 'net.ipv4.ip_nonlocal_bind': 1 }),
  line('/etc/hosts', '198.18.0.99 elsewhere'),
  command('index', sh`cp /srv/app/greeting /srv/app/index`, { creates: '/srv/app/index' }),
  unit('app.service', '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n'),
  transaction('pages', [file('/etc/nginx/conf.d/app.conf', 'client_max_body_size 2m;\n')], {
    validate: sh`nginx -t -q`,
    activate: reloaded('nginx'),
  }),
  service('nginx'),
  service('app'),
  cron('app', [{ at: '15 3 * * *', run: sh`true`, as: 'app' }]),
  timer('app-index', { at: ['daily', 'Mon..Fri 02:30'], run: sh`true`, as: 'app' }),
  timer.absent('app-old'),
  sudoers('app', 'app ALL=(root) NOPASSWD: /usr/bin/true\n'),
  caCertificate('own', AUTHORITY),
])

describe("a user's role under test", () => {
  const own = ownLab('it-testing', ['web1'], () => ({}))

  it('makes the same changes on a real host as on a fake one, and none the second time', async () => {
    const fake = fakeHost({ files: { '/etc/hosts': '127.0.0.1 localhost\n' } })
    const real = own.lab.host('web1')
    const expected = await converge(app({ greeting: 'hello' }), fake)
    const done = await converge(app({ greeting: 'hello' }), real)
    expect(done.plan).to.deep.equal(expected.plan)
    expect(done.handlers).to.deep.equal(expected.handlers)
    expect((await converge(app({ greeting: 'hello' }), fake)).plan).to.deep.equal([])
    expect((await converge(app({ greeting: 'hello' }), real)).plan).to.deep.equal([])
    const { stdout } = await own.lab.exec('web1', 'stat -c "%U %a" /srv/app/greeting; cat /srv/app/greeting')
    const { owner, mode, text } = expected.files['/srv/app/greeting'] ?? {}
    expect(stdout).to.equal(`${owner} ${mode?.replace(/^0/, '')}\n${text}`)
  })

  it('fails on a real host as in a run, which a fake host cannot detect', async () => {
    const broken = [command('break', sh`echo this is why >&2; exit 3`, { creates: '/nowhere/at/all' })]
    expect((await converge(broken, fakeHost())).plan).to.deep.equal(['run command break'])
    const error = await thrown(converge(broken, own.lab.host('web1')))
    expect(String(error)).to.include('command break failed: exit status 3')
  })
})
