// cspell:ignore nobody errand Whom
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { expect } from 'chai'
import { readHost } from '../../src/engine/hosts/batch.ts'
import { mapRead, type Read, readAll } from '../../src/model/resource/read.ts'
import { readFacts } from '../../src/model/resource/read-facts.ts'
import { sha256 } from '../../src/resources/files/content.ts'
import { entryAt } from '../../src/resources/files/stat.ts'
import { absentPackages } from '../../src/resources/packages/absent.ts'
import { packageFile } from '../../src/resources/packages/deb.ts'
import { pkg } from '../../src/resources/packages/package.ts'
import { packageState } from '../../src/resources/packages/state.ts'
import { packageUpgrades } from '../../src/resources/packages/upgrades.ts'
import { availableVersions } from '../../src/resources/packages/versions.ts'
import { command } from '../../src/resources/system/command.ts'
import { assignmentsOf, kernelValue, sysctl } from '../../src/resources/system/sysctl.ts'
import { user } from '../../src/resources/system/user.ts'
import { userGroup } from '../../src/resources/system/user-group.ts'
import { service } from '../../src/resources/systemd/service.ts'
import { sh } from '../../src/shell/sh.ts'
import { localConnection } from '../../src/transport/local.ts'
import { openSession } from '../../src/transport/session/open.ts'
import type { Session } from '../../src/transport/session/session.ts'
import { temporary } from '../support/rig.ts'
import { parsed } from './parsed.ts'

describe('the reads of built-in kinds', () => {
  const link = localConnection()
  const root = temporary()
  let session: Session

  before(async () => {
    session = await openSession(link, { host: 'here' })
  })
  after(async () => {
    await session.close()
    await link.close()
    rmSync(root, { recursive: true })
  })
  const asked = <T>(of: Read<T>): Promise<T> => readHost(session, of)

  describe('of paths', () => {
    const names = [
      'plain',
      'with space',
      "it's",
      'double "quotes"',
      'new\nline',
      'tab\there',
      'back\\slash',
      '$HOME `id` $(id)',
      'ünïcödé 雪',
      '*',
      '-n',
      '(',
      ' ',
    ]

    it('return the entries of paths with any name', async () => {
      for (const name of names) writeFileSync(`${root}/${name}`, name)
      const entries = await asked(
        readAll(names.map((name) => entryAt({ path: `${root}/${name}`, content: () => 100 }))),
      )
      expect(entries.map((entry) => entry?.sha256)).to.deep.equal(names.map((name) => sha256(name)))
    })

    it('return mode, owner and size of the entry, not of the target of a link', async () => {
      const at = temporary(root)
      writeFileSync(`${at}/file`, 'text')
      chmodSync(`${at}/file`, 0o4750)
      mkdirSync(`${at}/dir`)
      chmodSync(`${at}/dir`, 0o1777)
      symlinkSync('file', `${at}/link`)
      symlinkSync('no where\n', `${at}/broken`)
      spawnSync('mkfifo', [`${at}/fifo`])
      const paths = ['file', 'dir', 'link', 'broken', 'fifo', 'nothing', 'file/below']
      const entries = await asked(readAll(paths.map((path) => entryAt({ path: `${at}/${path}`, content: () => 100 }))))
      expect(entries.map((entry) => entry && [entry.type, entry.mode, entry.target])).to.deep.equal([
        ['file', '4750', ''],
        ['directory', '1777', ''],
        ['link', '0777', 'file'],
        ['link', '0777', 'no where\n'],
        ['fifo', entries[4]?.mode, ''],
        undefined,
        undefined,
      ])
      const { username } = userInfo()
      expect(entries[0]).to.include({ owner: username, size: 4, sha256: sha256('text') })
      expect(entries[2]?.sha256).to.equal(undefined)
    })

    it('return thousands of paths in one round trip', async () => {
      const before = session.trips
      const paths = Array.from({ length: 3000 }, (_, i) => `/${'x'.repeat(90)}/${i}`)
      const entries = await asked(readAll([...paths, root].map((path) => entryAt({ path, content: () => 100 }))))
      expect(entries.filter((entry) => entry)).to.have.length(1)
      expect(entries.at(-1)?.type).to.equal('directory')
      expect(session.trips - before).to.equal(1)
    })

    it('return no hash unless it is requested', async () => {
      const [without] = await asked(readAll([entryAt({ path: `${root}/plain` })]))
      expect(without?.sha256).to.equal(undefined)
    })
  })

  it('tell installed packages from others', async function () {
    if (spawnSync('dpkg-query', ['-W', 'bash']).status !== 0) return this.skip()
    const names = ['bash', 'no-such-package-here', 'coreutils']
    const { packages } = await asked(packageState({ names, wish: 'install' }))
    expect(packages).to.have.length(3)
    expect(packages[1]?.version).to.equal(undefined)
    expect(packages[0]?.version).to.match(/^\d/)
  })

  it('return a package on hold as installed, and removed packages with configuration files as missing', () => {
    const answer =
      'hi |held|all|1.0|no\nii |plain|amd64|2.0|yes\nrc |gone|all|3.0|no\nun |never|||\niF |broken|all|4.0|no\nguarded\n'
    const more = { automatic: false, held: false, provider: undefined, hasConfiguration: false, essential: false }
    const none = { version: undefined, state: undefined, guarded: true, ...more }
    const names = ['held', 'plain', 'gone', 'never', 'broken', 'unknown']
    expect(parsed(packageState({ names, wish: 'install' }), answer).packages).to.deep.equal([
      { ...none, version: '1.0', held: true },
      { ...none, version: '2.0', essential: true },
      { ...none, hasConfiguration: true },
      none,
      { ...none, state: 'half-configured' },
      none,
    ])
  })

  it('return if a package was installed as a dependency, and the provider of a virtual package', () => {
    const answer = [
      'ii |curl|amd64|1|no',
      'ii |exim4|provides|mail-transport-agent, default-mta (= 4)|',
      'rc |old|provides|gone|',
      'Package: curl',
      'Architecture: amd64',
      'Auto-Installed: 1',
      'Package: exim4',
      'Architecture: amd64',
      'Auto-Installed: 0',
    ].join('\n')
    const names = ['curl', 'default-mta', 'gone']
    const { packages } = parsed(packageState({ names, wish: 'install' }), answer)
    expect(packages[0]?.automatic).to.equal(true)
    expect(packages.map(({ provider }) => provider)).to.deep.equal([undefined, 'exim4', undefined])
  })

  it('tell packages of other architectures from the native one', () => {
    const answer = 'ii |libc6|amd64|1|no\nii |libx|i386|2|no\nii |docs|all|3|no\nnative|amd64\n'
    const names = ['libc6', 'libc6:i386', 'libx', 'libx:i386', 'libx:any', 'docs']
    const { packages } = parsed(packageState({ names, wish: 'install' }), answer)
    expect(packages.map(({ version }) => version)).to.deep.equal(['1', undefined, undefined, '2', '2', '3'])
  })

  it('return the effects on other packages for each step, undefined where apt cannot tell', () => {
    const answer = [
      'effect|0|Remv|exim4',
      'effect|0|Inst|postfix',
      'effect|0|done|',
      'effect|2|Purg|apache2',
      'effect|2|Remv|php',
      'effect|2|Inst|nginx',
      'effect|2|done|',
    ].join('\n')
    const states = parsed(
      readAll([
        packageState({ names: ['postfix'], wish: 'install' }),
        packageState({ names: ['unknown'], wish: 'install' }),
        absentPackages('apache2', { purge: true }).read,
      ]),
      answer,
    )
    expect(states.map((state) => state instanceof Object && 'others' in state && state.others)).to.deep.equal([
      { removed: ['exim4'], installed: ['postfix'] },
      undefined,
      { removed: ['php'], installed: ['nginx'] },
    ])
  })

  it('return the package of a file, its installed version, and if that is newer', () => {
    const answer = 'app|2|1\n\nunreadable|unreadable|\nlib|1|\nold|1|2|newer\n'
    const paths = ['/a', '/b', '/c', '/d', '/e'] as const
    expect(parsed(readAll(paths.map((path) => packageFile(path).read)), answer)).to.deep.equal([
      { name: 'app', version: '2', installed: '1', isOlder: false },
      undefined,
      'unreadable',
      { name: 'lib', version: '1', installed: undefined, isOlder: false },
      { name: 'old', version: '1', installed: '2', isOlder: true },
    ])
  })

  it('return the versions of packages from the newest to the oldest, with their releases', () => {
    const answer = [
      'fresh',
      'nginx:',
      '  Installed: 1.0',
      '  Candidate: 1.22.1-9',
      '  Version table:',
      '     1.24.0-1 100',
      '        100 http://deb.example.org/debian bookworm-backports/main amd64 Packages',
      '     1.22.1-9 500',
      '        500 http://deb.example.org/debian bookworm/main amd64 Packages',
      '        500 file:/srv/repository ./ Packages',
      ' *** 1.0 100',
      '        100 /var/lib/dpkg/status',
      'curl:',
      '  Installed: (none)',
      '  Candidate: (none)',
      '  Version table:',
    ].join('\n')
    expect(parsed(readAll(['nginx', 'curl', 'unknown'].map(availableVersions)), answer)).to.deep.equal([
      {
        candidate: '1.22.1-9',
        versions: [
          { version: '1.24.0-1', releases: ['bookworm-backports'] },
          { version: '1.22.1-9', releases: ['bookworm', '.'] },
          { version: '1.0', releases: [] },
        ],
        fresh: true,
      },
      { candidate: undefined, versions: [], fresh: true },
      { candidate: undefined, versions: [], fresh: true },
    ])
  })

  it('return the pending upgrades of packages', () => {
    const [, upgrades] = packageUpgrades()
    expect(upgrades && parsed(upgrades.read, 'curl 7.88 7.89\nlibc6 2.36 2.37\n\n')).to.deep.equal([
      { name: 'curl', from: '7.88', to: '7.89' },
      { name: 'libc6', from: '2.36', to: '2.37' },
    ])
  })

  it('take only names of packages, not other arguments of apt', () => {
    for (const name of ['nginx-', 'nginx=1.22', 'nginx/stable', 'a b', '*', '-f', ''])
      expect(() => pkg(name), name).to.throw(TypeError, 'is not the name of a package')
    for (const name of ['g++', 'libc6:i386', 'libstdc++6', '0ad', 'fonts-noto-core']) pkg(name)
  })

  it('return the state of units in the order of the queries', () => {
    const record = (id: string, fields: string) => `Id=${id}\nNames=${id}\n${fields}\n`
    const answer = [
      record('d.service', 'LoadState=masked\nActiveState=failed\nUnitFileState=masked\nNeedDaemonReload=no'),
      record('a.service', 'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no'),
      record('b.service', 'LoadState=not-found\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=no'),
      'Id=real.service\nNames=real.service c.service\nLoadState=loaded\nActiveState=reloading\nUnitFileState=static\nNeedDaemonReload=yes\n',
      record('e.service', 'LoadState=loaded\nActiveState=active\nUnitFileState=enabled-runtime\nNeedDaemonReload=no'),
      record('old.service', 'LoadState=loaded\nActiveState=active\nUnitFileState=generated\nNeedDaemonReload=no'),
      record('new.service', 'LoadState=loaded\nActiveState=active\nUnitFileState=generated\nNeedDaemonReload=no'),
      record(
        'job.service',
        'LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\nType=oneshot\nRemainAfterExit=no\nNeedDaemonReload=no',
      ),
      'SysV=new.service',
    ].join('\n')
    const names = ['a', 'b', 'c', 'd', 'e', 'old', 'new', 'job']
    const off = {
      active: false,
      enabled: false,
      masked: false,
      isLoaded: true,
      isInactiveAfterRun: false,
      needsReload: false,
      changed: [],
      lingers: true,
    }
    const units = readAll(names.map((name) => service(name).read))
    expect(parsed(units, answer)).to.deep.equal([
      { ...off, active: true, enabled: true },
      { ...off, isLoaded: false },
      { ...off, active: true, enabled: undefined, needsReload: true },
      { ...off, isLoaded: false, masked: true },
      { ...off, active: true, enabled: 'runtime' },
      { ...off, active: true, enabled: false },
      { ...off, active: true, enabled: true },
      { ...off, isInactiveAfterRun: true },
    ])
    expect(() => parsed(units, answer.replaceAll('job.service', 'x.service'))).to.throw(
      'prints nothing about job.service',
    )
  })

  it('return the users and groups of the host', async () => {
    const { username, homedir, shell, uid, gid } = userInfo()
    const own = { name: username, uid: String(uid), gid: String(gid), home: homedir, shell: shell ?? '' }
    const root = { name: 'root', gid: '0', members: [] }
    const found = await asked(
      readAll<unknown>([
        user(username).read,
        user('no-such-user', { groups: ['no-such-group'] }).read,
        userGroup('root').read,
        userGroup('no-such-group', { gid: 0 }).read,
        user(username, { group: 'root' }).read,
        user(username, { group: '0', uid }).read,
      ]),
    )
    expect(found[0]).to.have.property('account').that.deep.includes(own)
    expect(found[1]).to.deep.include({ account: undefined, missing: ['no-such-group'] })
    expect(found[2]).to.deep.equal([root, undefined])
    expect(found[3]).to.deep.equal([undefined, root])
    expect(found[4]).to.deep.include({ primary: root })
    expect(found[5]).to.deep.include({ primary: root }).and.have.property('holder').that.deep.includes(own)
  })

  it('do not take a part of a name for a member of a group', () => {
    const read = readAll([user('ana', { groups: ['adm', 'www'] }).read, user('anatol', { groups: ['adm'] }).read])
    // The users' accounts come first, then the members of the groups.
    const found = parsed(read, 'ana:x:1:1::/home/ana:/bin/sh\n', 'adm:x:4:anatol,bob\nwww:x:33:\n')
    expect(found[0]).to.deep.include({ missing: ['adm', 'www'] })
    expect(found[1]).to.deep.include({ account: undefined, missing: [] })
  })

  it('return the current kernel settings, with single spaces', async function () {
    if (!existsSync('/proc/sys/net/ipv4/ip_local_port_range')) return this.skip()
    const keys = { 'kernel.ostype': 'Linux', 'no.such.key': 1, 'net.ipv4.ip_local_port_range': 1 }
    const live = await asked(
      mapRead(
        sysctl('a', keys).read as Read<readonly [unknown, readonly [readonly string[], unknown]]>,
        ([, [of]]) => of,
      ),
    )
    expect(live.slice(0, 2)).to.deep.equal(['Linux', undefined])
    expect(live[2]).to.match(/^\d+ \d+$/)
  })

  it('tell an empty kernel setting from a missing one', () => {
    const keys = ['net.ipv4.a', 'net.ipv4.b', 'net/ipv4/conf/eth0.100/c']
    const answer = '/proc/sys/net/ipv4/a:\n/proc/sys/net/ipv4/conf/eth0.100/c:1\t 2\n'
    expect(parsed(readAll(keys.map(kernelValue)), answer)).to.deep.equal(['', undefined, '1 2'])
  })

  it('return the files that set a kernel setting at boot, in the order of systemd', () => {
    const answer = [
      '/etc/sysctl.d/99-sysctl.conf:net/ipv4/a = 5 ',
      '/etc/sysctl.d/60-own.conf:net.ipv4.a = 3',
      '/etc/sysctl.d/70-same.conf:-net.ipv4.a=4',
      '/usr/lib/sysctl.d/70-same.conf:net.ipv4.a=1',
      '/usr/lib/sysctl.d/10-first.conf:#net.ipv4.a=0',
      '/usr/lib/sysctl.d/10-first.conf:net.ipv4.a=2',
    ].join('\n')
    const [found = []] = parsed(readAll([assignmentsOf('net.ipv4.a')]), answer)
    expect(found.map(({ path, value }) => `${path.split('/').at(-1)} ${value}`)).to.deep.equal([
      '10-first.conf 2',
      '60-own.conf 3',
      '70-same.conf 4',
      '99-sysctl.conf 5',
    ])
  })

  it('return if a command was run already', async () => {
    const done = [
      command('a', sh`:`, { unless: sh`true # a comment at the end` }),
      command('b', sh`:`, { unless: sh`echo much; echo more >&2; exit 3` }),
      command('c', sh`:`, { creates: root }),
      command('d', sh`:`, { creates: `${root}/missing` }),
    ]
    expect(await asked(readAll(done.map(({ read }) => read)))).to.deep.equal([true, false, true, false])
  })

  it('check a command as the user that it runs as', async function () {
    if (process.getuid?.() !== 0) return this.skip()
    const done = ['nobody', 'root'].map((as) => command(as, sh`:`, { unless: sh`[ "$(id -un)" = nobody ]`, as }))
    expect(await asked(readAll(done.map(({ read }) => read)))).to.deep.equal([true, false])
  })

  it('return plausible facts', async () => {
    const here = await asked(readFacts)
    expect(here.cpus).to.be.within(1, 4096)
    expect(here.memory).to.be.greaterThan(2 ** 26)
    expect(here.os.id).to.match(/^[a-z]+$/)
    expect(here.bootId).to.match(/^[0-9a-f-]{36}$/)
    expect(Object.isFrozen(here)).to.equal(true)
  })
})
