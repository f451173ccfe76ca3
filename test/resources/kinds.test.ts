import { expect } from 'chai'
import { Problem } from '../../src/model/problem.ts'
import type { Step } from '../../src/model/step.ts'
import { absent } from '../../src/resources/absent.ts'
import { command } from '../../src/resources/command.ts'
import { directory } from '../../src/resources/directory.ts'
import { file, sha256 } from '../../src/resources/file.ts'
import { line } from '../../src/resources/line.ts'
import { link } from '../../src/resources/link.ts'
import { pkg } from '../../src/resources/package.ts'
import type { Entry } from '../../src/resources/paths.ts'
import { release } from '../../src/resources/release.ts'
import { service } from '../../src/resources/service.ts'
import { sysctl } from '../../src/resources/sysctl.ts'
import { dropIn, unit } from '../../src/resources/unit.ts'
import { user, userGroup } from '../../src/resources/user.ts'
import { Secret } from '../../src/shell/secret.ts'
import { sh } from '../../src/shell/sh.ts'

/** What a step would do about what a host has. */
interface Row {
  readonly step: Step
  readonly have: unknown
  /** The verb and the fields: `change mode 0600 → 0644`; nothing when the host is as wanted. */
  readonly differs?: string
  /** The commands, where they are the same each time. */
  readonly runs?: readonly string[]
  readonly refuses?: string
}

const entry = (of: Partial<Entry>): Entry => ({
  type: 'file',
  mode: '0644',
  owner: 'root',
  group: 'root',
  uid: '0',
  gid: '0',
  size: 1,
  target: '',
  sha256: undefined,
  ...of,
})
const there = entry({ sha256: sha256('text') })
const dir = entry({ type: 'directory', mode: '0755' })
const special = entry({ type: 'device' })
const version = (version: string | undefined) => ({
  ...{ version, state: undefined, guarded: false },
  ...{ automatic: false, held: false, provider: undefined },
})
const running = {
  ...{ active: true, enabled: true, needsReload: false },
  ...{ masked: false, isLoaded: true, endsByItself: false },
}
const account = { gid: '100', home: '/nonexistent', shell: '/usr/sbin/nologin' }
const secret = new Secret(() => 'hunter2')
const build = { directory: '/build', id: 'abc' }
const [hash, secretHash] = [sha256('text').slice(0, 12), sha256('old').slice(0, 12)]

const start = (name: string) =>
  `systemctl start ${name} && systemctl is-active -q ${name} || { journalctl -q --no-pager -o cat -n 15 -u ${name}; systemctl is-active ${name}; exit 1; }`

const ROWS: Readonly<Record<string, Row>> = {
  'a file that is as wanted': { step: file('/a', 'text'), have: there },
  'no file': {
    step: file('/a', 'text'),
    have: undefined,
    differs: `create owner root, group root, mode 0644, content ${hash}`,
  },
  'a file with another mode and owner, which alone are changed': {
    step: file('/a', 'text', { owner: 'notes', group: 'adm', mode: '640' }),
    have: there,
    differs: 'change owner root → notes, group root → adm, mode 0644 → 0640',
    runs: ['chmod 0640 /a && chown notes:adm /a && chmod 0640 /a'],
  },
  'a file of an owner that is given as a number': {
    step: file('/a', 'text', { owner: '33', group: '4' }),
    have: entry({ owner: 'www-data', group: 'adm', uid: '33', gid: '4', sha256: sha256('text') }),
  },
  'a file of another owner than the number': {
    step: file('/a', 'text', { owner: '34', group: '4' }),
    have: entry({ owner: 'www-data', group: 'adm', uid: '33', gid: '4', sha256: sha256('text') }),
    differs: 'change owner www-data → 34',
  },
  'a directory of an owner that is given as a number': {
    step: directory('/d', { owner: '0', group: '0' }),
    have: dir,
  },
  'a device where a file is wanted': {
    step: file('/a', 'text'),
    have: special,
    refuses: '/a is a device, where a file is wanted',
  },
  'a socket where a file is wanted': {
    step: file('/a', 'text'),
    have: entry({ type: 'socket' }),
    refuses: '/a is a socket, where a file is wanted',
  },
  'a link to a device that is followed': {
    step: file('/a', 'text', { follow: true }),
    have: entry({ type: 'device', real: '/dev/null' }),
    refuses: '/a leads to /dev/null, a device, where a file is wanted',
  },
  'a link to another file that is followed': {
    step: file('/a', 'text', { follow: true }),
    have: entry({ real: '/etc/b', sha256: sha256('old') }),
    differs: `change real path /etc/b, content ${secretHash} → ${hash}`,
  },
  'a fifo where a line is wanted': {
    step: line('/a', 'text'),
    have: [entry({ type: 'fifo' }), []],
    refuses: '/a is a fifo, where a file is wanted',
  },
  'a fifo where a link is wanted': {
    step: link('/a', { target: 'b' }),
    have: entry({ type: 'fifo' }),
    refuses: '/a is a fifo, where a link is wanted',
  },
  'a unit that is masked': {
    step: unit('app.service', '[Service]\n'),
    have: [entry({ type: 'link', target: '/dev/null' }), false],
    refuses: 'app.service is masked: /etc/systemd/system/app.service leads to /dev/null',
  },
  'a file with other content': {
    step: file('/a', 'text'),
    have: entry({ sha256: sha256('old') }),
    differs: `change content ${secretHash} → ${hash}`,
  },
  'a secret file with other content, of which no hash is told': {
    step: file('/a', secret),
    have: entry({ mode: '0600', sha256: sha256('old') }),
    differs: 'change content a secret',
  },
  'no secret file': {
    step: file('/a', secret),
    have: undefined,
    differs: 'create owner root, group root, mode 0600, content a secret',
  },
  'a link where a file is wanted': {
    step: file('/a', 'text'),
    have: entry({ type: 'link', target: '/b', mode: '0777' }),
    differs: `change type link → file, mode 0777 → 0644, content ${hash}`,
  },
  'a directory where a file is wanted': {
    step: file('/a', 'text'),
    have: dir,
    refuses: '/a is a directory, where a file is wanted',
  },
  'a directory that is as wanted': { step: directory('/d'), have: dir },
  'no directory': {
    step: directory('/d', { owner: 'notes', mode: '0700' }),
    have: undefined,
    differs: 'create owner notes, group notes, mode 0700',
    runs: ['mkdir -p /d && chown notes:notes /d && chmod 00700 /d'],
  },
  'a directory with the sticky bit': {
    step: directory('/d', { mode: '1777' }),
    have: dir,
    differs: 'change mode 0755 → 1777',
    runs: ['mkdir -p /d && chown root:root /d && chmod 01777 /d'],
  },
  'a file where a directory is wanted': {
    step: directory('/d'),
    have: there,
    refuses: '/d is a file, where a directory is wanted',
  },
  'a device where a directory is wanted': {
    step: directory('/d'),
    have: special,
    refuses: '/d is a device, where a directory is wanted',
  },
  'a link that is as wanted': {
    step: link('/l', { target: 'a' }),
    have: entry({ type: 'link', target: 'a', mode: '0777' }),
  },
  'no link': { step: link('/l', { target: '-a' }), have: undefined, differs: 'create type link, target -a' },
  'a link to something else': {
    step: link('/l', { target: 'a' }),
    have: entry({ type: 'link', target: 'b' }),
    differs: 'change target b → a',
  },
  'a file where a link is wanted': {
    step: link('/l', { target: 'a' }),
    have: entry({}),
    differs: 'change type file → link, target  → a',
  },
  'a directory where a link is wanted': {
    step: link('/l', { target: 'a' }),
    have: dir,
    refuses: '/l is a directory, where a link is wanted',
  },
  'nothing, as is wanted': { step: absent('/x'), have: undefined },
  'something that is to go': { step: absent('/x y'), have: dir, differs: 'remove type directory → absent' },
  'packages that are installed': { step: pkg('nginx', 'curl'), have: [version('1.22.1'), version('7.88')] },
  'packages of which some are missing': {
    step: pkg('nginx', 'curl', 'jq'),
    have: [version(undefined), version('7.88'), { ...version(undefined), state: 'half-configured' }],
    differs: 'install nginx installed, jq half-configured → installed',
  },
  'a package that came as a dependency, which autoremove would take away': {
    step: pkg('curl'),
    have: [{ ...version('1'), automatic: true }],
    differs: 'change curl automatic → manual',
    runs: ['apt-mark -qq manual curl'],
  },
  'a virtual package that another one provides': {
    step: pkg('default-mta'),
    have: [{ ...version(undefined), provider: 'exim4' }],
  },
  'a package on hold that is not there': {
    step: pkg('jq'),
    have: [{ ...version(undefined), held: true }],
    refuses: 'jq: on hold, so apt does not install it',
  },
  'packages that are there, and what a killed installation has left': {
    step: pkg('nginx'),
    have: [{ ...version('1.22.1'), guarded: true }],
    differs: 'remove /usr/sbin/policy-rc.d left by an interrupted run → absent',
  },
  'a service that runs': { step: service('nginx'), have: running },
  'a service that neither runs nor starts at boot': {
    step: service('nginx'),
    have: { ...running, active: false, enabled: false, needsReload: false },
    differs: 'start state stopped → running, enabled false → true',
    runs: ['systemctl enable -q nginx.service', start('nginx.service')],
  },
  'a service whose unit has changed since it was read': {
    step: service('a.timer'),
    have: { ...running, active: false, enabled: true, needsReload: true },
    differs: 'start state stopped → running',
    runs: ['systemctl daemon-reload', start('a.timer')],
  },
  'a service that runs and should not': {
    step: service('nginx', { state: 'stopped' }),
    have: running,
    differs: 'stop state running → stopped, enabled true → false',
    runs: [
      'systemctl disable -q nginx.service && systemctl disable -q --runtime nginx.service',
      'systemctl stop nginx.service',
    ],
  },
  'a stopped service that is neither enabled nor disabled': {
    step: service('systemd-rfkill', { state: 'stopped' }),
    have: { ...running, active: false, enabled: undefined, needsReload: false },
  },
  'a running service that can be neither enabled nor disabled': {
    step: service('systemd-rfkill', { state: 'stopped', enabled: false }),
    have: { ...running, active: true, enabled: undefined, needsReload: false },
    differs: 'stop state running → stopped',
    runs: ['systemctl stop systemd-rfkill.service'],
  },
  'a service that is masked and should run': {
    step: service('nginx'),
    have: { ...running, active: false, enabled: false, masked: true },
    refuses: 'nginx.service is masked, so it cannot be started',
  },
  'a service that is masked and should be stopped': {
    step: service('nginx', { state: 'stopped' }),
    have: { ...running, active: false, enabled: false, masked: true },
  },
  'a service that is enabled until the next boot': {
    step: service('nginx'),
    have: { ...running, enabled: 'runtime' },
    differs: 'change enabled until the next boot → true',
    runs: ['systemctl enable -q nginx.service'],
  },
  'a static service': { step: service('nginx'), have: { ...running, enabled: undefined } },
  'a static service that should be enabled': {
    step: service('nginx', { enabled: true }),
    have: { ...running, enabled: undefined },
    refuses: 'nginx.service has no [Install] section, so it cannot be enabled',
  },
  'a oneshot that should run': {
    step: service('job'),
    have: { ...running, active: false, endsByItself: true },
    refuses:
      'job.service is a oneshot without RemainAfterExit: it ends when its work is done, and is never running',
  },
  'a service that is to run now but not at boot': {
    step: service('nginx', { enabled: false }),
    have: running,
    differs: 'change enabled true → false',
    runs: ['systemctl disable -q nginx.service && systemctl disable -q --runtime nginx.service'],
  },
  'a service that the host does not know': {
    step: service('ngnix', { state: 'stopped' }),
    have: { ...running, active: false, enabled: false, isLoaded: false },
    differs: 'stop',
  },
  'a user that is as wanted': { step: user('notes', { groups: ['adm'] }), have: [[account, undefined], []] },
  'no user': {
    step: user('notes', { home: '/srv/notes' }),
    have: [[undefined, undefined], []],
    differs: 'create home /srv/notes, shell /usr/sbin/nologin',
    runs: [
      'own=--user-group\n! getent group notes >/dev/null || own=\'--gid=notes\'\nuseradd "$own" --system --no-create-home --home-dir /srv/notes --shell /usr/sbin/nologin notes',
    ],
  },
  'no user for people': {
    step: user('ana', { system: false, home: '/home/ana', shell: '/bin/bash', groups: ['adm'] }),
    have: [[undefined, undefined], ['adm']],
    differs: 'create home /home/ana, shell /bin/bash, group adm',
    runs: [
      'own=--user-group\n! getent group ana >/dev/null || own=\'--gid=ana\'\nuseradd "$own" --home-dir /home/ana --shell /bin/bash ana',
      'usermod -aG adm ana',
    ],
  },
  'a user with another shell, who lacks one group of two': {
    step: user('notes', { groups: ['adm', 'ssl-cert'] }),
    have: [[{ ...account, shell: '/bin/sh' }, undefined], ['ssl-cert']],
    differs: 'change shell /bin/sh → /usr/sbin/nologin, group ssl-cert',
    runs: ['usermod --home /nonexistent --shell /usr/sbin/nologin notes', 'usermod -aG adm,ssl-cert notes'],
  },
  'a user with a group that another step makes': {
    step: user('notes', { group: 'web' }),
    have: [[undefined, undefined], []],
    differs: 'create home /nonexistent, shell /usr/sbin/nologin, primary group web',
    runs: [
      'useradd --system --no-create-home --gid web --home-dir /nonexistent --shell /usr/sbin/nologin notes',
    ],
  },
  'a user of another group': {
    step: user('notes', { group: 'web' }),
    have: [[account, { name: 'deploy', gid: '33', members: [] }], []],
    differs: 'change primary group 100 → web',
    runs: ['usermod --home /nonexistent --shell /usr/sbin/nologin --gid web notes'],
  },
  'a user of the group that is wanted': {
    step: user('notes', { group: 'users' }),
    have: [[account, { name: 'users', gid: '100', members: [] }], []],
  },
  'a group of users': { step: userGroup('deploy'), have: { name: 'deploy', gid: '33', members: [] } },
  'no group of users': {
    step: userGroup('deploy'),
    have: undefined,
    differs: 'create',
    runs: ['groupadd --system deploy'],
  },
  'no group of people': {
    step: userGroup('people', { system: false }),
    have: undefined,
    differs: 'create',
    runs: ['groupadd people'],
  },
  'a command that was run': { step: command('index', sh`app index`, { creates: '/a' }), have: true },
  'a command that was not run': {
    step: command('index', sh`app index`, { creates: '/a' }),
    have: false,
    differs: 'run',
    runs: ['app index'],
  },
  'settings of the kernel that are in force and kept': {
    step: sysctl('vip', { 'net.a': 1, 'net.range': '1024\t65535' }),
    have: [
      entry({ sha256: sha256('net.a = 1\nnet.range = 1024\t65535\n') }),
      [
        ['1', '1024 65535'],
        [[], []],
      ],
    ],
  },
  'settings of the kernel that are kept and not in force': {
    step: sysctl('vip', { 'net.a': 1 }),
    have: [entry({ sha256: sha256('net.a = 1\n') }), [['0'], [[]]]],
    differs: 'change net.a 0 → 1',
  },
  'a setting of the kernel with an empty value': {
    step: sysctl('ports', { 'net.ports': '' }),
    have: [entry({ sha256: sha256('net.ports = \n') }), [[''], [[]]]],
  },
  'a setting of the kernel in another spelling': {
    step: sysctl('flags', { 'net.flags': '0x10' }),
    have: [entry({ sha256: sha256('net.flags = 0x10\n') }), [['16'], [[]]]],
  },
  'a setting of the kernel that another file overrides at boot': {
    step: sysctl('t', { 'net.t': 25 }),
    have: [
      entry({ sha256: sha256('net.t = 25\n') }),
      [['25'], [[{ path: '/etc/sysctl.d/99-vendor.conf', value: '60' }]]],
    ],
    refuses: '/etc/sysctl.d/99-vendor.conf sets net.t = 60 at boot, after the 25 that is wanted',
  },
  'settings of the kernel that are in force until the next boot': {
    step: sysctl('vip', { 'net.a': 1 }),
    have: [undefined, [['1'], [[]]]],
    differs: `create owner root, group root, mode 0644, content ${sha256('net.a = 1\n').slice(0, 12)}`,
  },
  'a release that is there': { step: release('/srv/releases/abc', build), have: dir },
  'no release': { step: release('/srv/releases/abc', build), have: undefined, differs: 'create release abc' },
  'a file where a release is wanted': {
    step: release('/srv/releases/abc', build),
    have: there,
    refuses: '/srv/releases/abc is a file, where a release is wanted',
  },
  'a unit whose owner is another, which systemd reads again': {
    step: unit('notes.service', 'text'),
    have: [entry({ sha256: sha256('text'), owner: 'ana' }), false],
    differs: 'change owner ana → root',
    runs: [
      'chown root:root /etc/systemd/system/notes.service && chmod 0644 /etc/systemd/system/notes.service',
      'systemctl daemon-reload',
    ],
  },
  'a drop-in that is as wanted': { step: dropIn('haproxy.service', 'limits', 'text'), have: [there, false] },
  'a unit that is as wanted, of which systemd uses an older definition': {
    step: unit('notes.service', 'text'),
    have: [there, true],
    differs: 'change definition that systemd uses an older one → this file',
    runs: ['systemctl daemon-reload'],
  },
}

describe('each kind', () => {
  for (const [what, { step, have, differs, runs, refuses }] of Object.entries(ROWS))
    it(`knows what to do about ${what}`, () => {
      if (refuses !== undefined) {
        expect(() => step.diff(have)).to.throw(Problem, refuses)
        return
      }
      const found = step.diff(have)
      expect(found && `${found.verb} ${found.fields.map(words).join(', ')}`.trim()).to.equal(differs)
      if (runs) expect(step.apply(have).map(({ script }) => script.text)).to.deep.equal(runs)
    })

  it('refuses a pattern as the path that a command creates', () => {
    expect(() => command('a', sh`:`, { creates: '/srv/*.done' })).to.throw(
      TypeError,
      'patterns are not expanded',
    )
  })

  it('refuses names that no unit can have', () => {
    for (const name of ['', 'a b', 'a/b', '../x', 'x'.repeat(256)])
      expect(() => service(name), name).to.throw(TypeError, 'is not the name of a unit')
    expect(() => service('app@')).to.throw(
      TypeError,
      '"app@" is a template without an instance: write app@INSTANCE',
    )
  })

  it('has the path or name as its own', () => {
    expect(dropIn('haproxy.service', 'limits', '')).to.include({
      kind: 'unit',
      name: '/etc/systemd/system/haproxy.service.d/limits.conf',
    })
    expect(service('nginx.service')).to.include({ kind: 'service', name: 'nginx' })
    expect(pkg('nginx', 'curl').name).to.equal('nginx, curl')
  })

  it('installs only what is missing, and lets no service start by that', () => {
    const [install] = pkg('nginx', 'curl').apply([version(undefined), version('1')])
    expect(install?.script.text)
      .to.match(/^set -- nginx\n/)
      .and.to.include('policy-rc.d')
  })

  it('tells the texts that change, but of secrets and binary files only that they do', () => {
    const texts = (step: Step) => step.diff(undefined)?.texts?.map(({ path, after }) => [path, after])
    expect(texts(file('/a', 'text'))).to.deep.equal([['/a', 'text']])
    expect(texts(file('/a', secret))).to.deep.equal([['/a', undefined]])
    expect(texts(file('/a', Buffer.from([0xff, 0])))).to.deep.equal([['/a', undefined]])
  })
})

function words({ name, from, to }: { readonly name: string; readonly from?: string; readonly to: string }) {
  return from === undefined ? `${name} ${to}` : `${name} ${from} → ${to}`
}
