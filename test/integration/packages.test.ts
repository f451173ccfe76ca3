import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { type Ended, eventually, ownLab, ROOT } from './support.ts'

const LAB = 'test-packages'
const POLICY = '/usr/sbin/policy-rc.d'

describe('packages on real hosts', function () {
  this.slow('20s')
  const own = ownLab(LAB, ['web1', 'web2'], () => ({
    'stack.ts': STACK,
    'inventory.ts': INVENTORY,
    'playbook.ts': PLAYBOOK,
  }))
  before(async () => {
    await sh('web1', SLOWLY)
  })

  const sh = async (host: string, script: string) => (await own.lab.exec(host, script)).stdout.trim()
  const on = (what: string, ...more: string[]): Promise<Ended> =>
    own.run(['--output', 'lines', ...more], { CASE: what })
  const run = (what: string, ...more: string[]): Promise<Ended> => on(what, '--limit', 'web1', ...more)
  const begun = (what: string, ...more: string[]): ChildProcess =>
    spawn('node', [`${ROOT}/bin/provision.js`, ...own.words('--output', 'lines', ...more)], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1', LAB, CASE: what },
      stdio: 'ignore',
    })
  const well = async (what: string, ...more: string[]) => {
    const { code, text } = await run(what, ...more)
    expect(code, text).to.equal(0)
    return text
  }
  const isFree = async () => (await own.lab.exec('web1', 'flock -n /run/provision.lock true')).code === 0
  const transactions = async () => Number(await sh('web1', 'grep -c ^Install: /var/log/apt/history.log || :'))

  it('are installed in one transaction for all roles, with a result for each step, and the order within a role is kept', async () => {
    const before = await transactions()
    const text = await well('roles')
    expect(text)
      .to.match(/✓ package nginx, sl \[a\]/)
      .and.match(/✓ package socat \[b\]/)
      .and.match(/✓ package cowsay \[c\]/)
    // Role c has a file before its package, so this package is installed later.
    expect((await transactions()) - before).to.equal(2)
    expect(await sh('web1', 'find /var/lib/dpkg/info/cowsay.list -newer /etc/c')).to.not.equal('')
    expect(await well('roles')).to.match(/No changes/)
  })

  it('are installed without a start of their services', async () => {
    expect(
      await sh('web1', 'systemctl is-enabled nginx; systemctl show -p ExecMainStartTimestampMonotonic --value nginx'),
    ).to.equal('enabled\n0')
    expect(await sh('web1', `ls ${POLICY} 2>/dev/null`)).to.equal('')
  })

  it('wait for the locks of apt and dpkg, and the run names the lock and the process that holds it', async () => {
    const held = LOCKS.map(([path], i) => `setsid python3 -c '${HOLD}' ${path} ${3 + i} >/dev/null 2>&1 &`)
    await sh('web1', held.join('\n'))
    const text = await well('figlet')
    for (const [path, words] of LOCKS)
      expect(text, path).to.match(new RegExp(`web1 … waiting for ${words} held by python3, pid \\d+$`, 'm'))
    expect(text).to.match(/✓ package figlet/)
  })

  it('fail after the lock timeout, with the process that holds the lock and the next action', async () => {
    await sh('web1', `setsid python3 -c '${HOLD}' /var/lib/dpkg/lock-frontend 60 >/dev/null 2>&1 &`)
    const { code, text } = await run('impatient')
    await sh('web1', "kill $(pgrep -f 'lock-frontend [6]0')")
    expect(code, text).to.equal(1)
    expect(text)
      .to.match(
        /error: web1: package toilet failed: the dpkg lock held by python3, pid (\d+), was not released in time/,
      )
      .and.match(/ps -f -p \d+/)
  })

  it('are named if they do not exist, before the others of the transaction change', async () => {
    const { code, text } = await run('nowhere')
    expect(code, text).to.equal(1)
    expect(text).to.match(
      /error: web1: package no-such-thing \(role b\) failed: the package sources of the host have no package no-such-thing\n/,
    )
    expect((await own.lab.exec('web1', 'dpkg -s toilet')).code).to.not.equal(0)
    expect((await run('foreign')).text)
      .to.include('no package libc6:i386')
      .and.include('dpkg --add-architecture i386')
  })

  it('are repaired after dpkg and apt were killed during an installation', async () => {
    await sh('web1', 'rm -f /run/slowly; touch /run/slow')
    const running = run('slowly')
    await eventually(async () => (await sh('web1', 'ls /run/slowly')) !== '')
    expect(await sh('web1', `${POLICY} nginx start; echo $?`)).to.equal('101')
    await sh(
      'web1',
      "kill -KILL $(pgrep -x apt-get) $(pgrep -x dpkg) $(pgrep -f 'slowly.[p]ostinst'); rm -f /run/slow /run/slowly",
    )
    const { code, text } = await running
    expect(code, text).to.equal(1)
    expect(await sh('web1', `dpkg-query -W -f '\${Status}' slowly; ls ${POLICY}`)).to.equal(
      'install ok half-configured',
    )
    expect((await run('slowly', '--check')).text).to.match(/package slowly: install slowly half-configured → installed/)
    expect(await well('slowly')).to.match(/completing an interrupted installation/)
    expect(await sh('web1', "dpkg-query -W -f '${Status}' slowly")).to.equal('install ok installed')
    await sh('web1', 'apt-get -qq purge slowly')
  })

  it('are repaired after all processes of the run were killed, and the policy-rc.d of the run is removed', async () => {
    await sh('web1', 'rm -f /run/slowly; touch /run/slow')
    const running = run('slowly')
    await eventually(async () => (await sh('web1', 'ls /run/slowly')) !== '')
    await sh(
      'web1',
      `apt=$(pgrep -o -x apt-get) && kill -KILL $(awk '{ print $4 }' /proc/$apt/stat) $apt $(pgrep -x dpkg) $(pgrep -f 'slowly.[p]ostinst'); rm -f /run/slow /run/slowly`,
    )
    expect((await running).code).to.not.equal(0)
    expect(await sh('web1', `grep -c 'by provision' ${POLICY}`)).to.equal('1')
    // A run without changes cleans up, too.
    const text = await well('there')
    expect(text).to.match(/package curl: remove .*policy-rc\.d left by an interrupted run → absent/)
    expect(await sh('web1', `ls ${POLICY} 2>/dev/null; dpkg-query -W -f '\${Status}' slowly`)).to.equal(
      'install ok installed',
    )
    await sh('web1', 'apt-get -qq purge slowly')
  })

  it('are completed by the host if the controller is killed; the next run finds all in order', async () => {
    await sh('web1', 'rm -f /run/slowly; touch /run/slow')
    const cut = begun('slowly', '--limit', 'web1')
    await eventually(async () => (await sh('web1', 'ls /run/slowly')) !== '')
    cut.kill('SIGKILL')
    await once(cut, 'close')
    await sh('web1', 'rm -f /run/slow')
    await eventually(isFree)
    expect(await sh('web1', `ls ${POLICY} 2>/dev/null; dpkg-query -W -f '\${Status}' slowly`)).to.equal(
      'install ok installed',
    )
    expect(await well('slowly')).to.match(/No changes/)
  })

  it('do not change a policy-rc.d of another owner', async () => {
    await sh(
      'web1',
      `printf '#!/bin/sh\\n# of the administrator\\nexit 101\\n' > ${POLICY}; chmod 755 ${POLICY}; apt-get -qq purge figlet`,
    )
    const before = await sh('web1', `stat -c '%i %Z' ${POLICY}`)
    await well('figlet')
    expect(await sh('web1', `stat -c '%i %Z' ${POLICY}; rm ${POLICY}`)).to.equal(before)
  })

  it('are downloaded early for hosts of later batches, and not by --check', async () => {
    const check = await on('later', '--check')
    expect(check.code, check.text).to.equal(2)
    expect(await sh('web2', DOWNLOADED)).to.equal('')
    const running = on('later')
    // web1 waits until web2 has downloaded its packages, before the batch of web2 starts.
    await eventually(async () => (await sh('web2', DOWNLOADED)) !== '')
    expect((await own.lab.exec('web2', 'dpkg -s figlet')).code).to.not.equal(0)
    await sh('web1', 'touch /run/go')
    const { code, text } = await running
    expect(code, text).to.equal(0)
    expect(text).to.match(/web2 ✓ package figlet/)
    await sh('web1', 'rm -f /run/go /etc/later')
  })

  it('wait for a running download, which has low priority until then; it ends with a killed run', async () => {
    await sh(
      'web2',
      `apt-get -qq purge figlet; apt-get clean; echo 'Acquire::http::Dl-Limit "30";' > /etc/apt/apt.conf.d/99slow`,
    )
    const cut = begun('later')
    await eventually(async () => (await sh('web2', DOWNLOADING)) !== '')
    cut.kill('SIGKILL')
    await once(cut, 'close')
    await eventually(async () => (await sh('web2', DOWNLOADING)) === '')
    await sh('web1', 'touch /run/go')
    await eventually(isFree)
    await sh('web1', 'rm -f /run/go /etc/later')
    const running = on('later')
    await eventually(async () => (await sh('web2', NICE)) === '19')
    await sh('web1', 'touch /run/go')
    await eventually(async () => (await sh('web2', NICE)) === '0')
    const { code, text } = await running
    expect(code, text).to.equal(0)
    expect(text).to.match(/web2 … waiting for download that this run began early, pid \d+/)
    await eventually(async () => (await sh('web2', DOWNLOADING)) === '')
  })
})

const LOCKS = [
  ['/var/lib/dpkg/lock-frontend', 'dpkg lock'],
  ['/var/lib/dpkg/lock', 'dpkg lock'],
  ['/var/lib/apt/lists/lock', "lock of apt's package lists"],
  ['/var/cache/apt/archives/lock', "lock of apt's downloads"],
] as const

/** Takes the lock of a file in the same way as apt, for this number of seconds. */
const HOLD = `
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
time.sleep(float(sys.argv[2]))
`

const DOWNLOADED = 'ls /var/cache/apt/archives/ | grep ^figlet'

/** The processes of an early download. */
const DOWNLOADING = 'pgrep -f "provision-[a]head|download-[o]nly"'

const NICE = 'ps -o ni= -p "$(pgrep -f "apt-get.*download-[o]nly" | head -n 1)" | tr -d " "'

/** A package whose installation runs while a file exists, in a repository of its own. */
const SLOWLY = `set -e
mkdir -p /srv/slow/tree/DEBIAN && cd /srv/slow
printf 'Package: slowly\\nVersion: 1\\nArchitecture: all\\nMaintainer: someone <someone@example.org>\\nDescription: takes its time\\n' > tree/DEBIAN/control
printf '#!/bin/sh\\n[ "$1" = configure ] || exit 0\\ntouch /run/slowly\\nwhile [ -e /run/slow ]; do sleep 0.1; done\\n' > tree/DEBIAN/postinst
chmod 755 tree/DEBIAN/postinst
dpkg-deb --build tree slowly.deb
{ cat tree/DEBIAN/control; echo Filename: ./slowly.deb; echo "Size: $(stat -c %s slowly.deb)"; echo "SHA256: $(sha256sum slowly.deb | cut -d' ' -f1)"; } > Packages
echo 'deb [trusted=yes] file:/srv/slow ./' > /etc/apt/sources.list.d/slow.list
apt-get -qq update`

const STACK = `
import { hosts, inventorySchema } from 'provision-ts'
export const site = inventorySchema({ web: hosts({}) })
`

const INVENTORY = `
import { inventory } from 'provision-ts'
import { openLab } from 'provision-ts/lab'
import { site } from './stack.ts'
const lab = openLab(process.env.LAB)
const at = (name: string) => {
  const { address, ssh } = lab.host(name)
  return { address, ssh }
}
export default inventory(site, { web: { hosts: { web1: at('web1'), web2: at('web2') } } })
`

const PLAYBOOK = `
import { command, file, pkg, play, playbook, role, sh, type Steps } from 'provision-ts'
import { site } from './stack.ts'

const a = role('a', ({ names }: { names: readonly [string, ...string[]] }) => [pkg(...names), file('/etc/a', 'a')])
const b = role('b', ({ name }: { name: string }) => [pkg(name), file('/etc/b', 'b')])
const c = role('c', () => [file('/etc/c', 'c'), pkg('cowsay')])

const cases: Record<string, Steps> = {
  roles: [a({ names: ['nginx', 'sl'] }), b({ name: 'socat' }), c({})],
  there: pkg('curl'),
  figlet: pkg('figlet'),
  impatient: pkg('toilet', { timeout: '4s' }),
  nowhere: [a({ names: ['toilet'] }), b({ name: 'no-such-thing' })],
  foreign: pkg('libc6:i386'),
  slowly: pkg('slowly'),
}

export default playbook(site, ({ web }) => {
  const [first, second] = web.hosts
  if (process.env.CASE !== 'later') return [play('all', { hosts: web }, () => cases[process.env.CASE ?? ''])]
  return [
    play('first', { hosts: { hosts: [first] } }, () =>
      command('wait', sh\`until [ -e /run/go ]; do sleep 0.1; done; touch /etc/later\`, { creates: '/etc/later' })),
    play('second', { hosts: { hosts: [second] } }, () => pkg('figlet')),
  ]
})
`
