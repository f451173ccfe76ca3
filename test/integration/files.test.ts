import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { localFile } from '../../src/resources/files/content.ts'
import { file } from '../../src/resources/files/file.ts'
import { line } from '../../src/resources/files/line.ts'
import { link } from '../../src/resources/files/link.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import { Secret } from '../../src/shell/secret.ts'
import { quote, sh } from '../../src/shell/sh.ts'
import { onLab } from './lab-site.ts'
import { eventually, freshLab, noHosts } from './support.ts'
import { sha, World } from './wishes.ts'

const LAB = 'test-files'
/** The same seed in each test run, so that unrelated changes do not fail; a different one each night. */
const SEED = Number(process.env['SEED'] ?? 1)
const ROUNDS = 5

describe('files on a real host', function () {
  this.slow('20s')
  let lab: Lab

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: ['web1'] })
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })

  const on = async (command: string) => {
    const { code, stdout, stderr } = await lab.exec('web1', command)
    if (code !== 0) throw new Error(`${command}: ${stderr}`)
    return stdout
  }
  const made = async (...steps: readonly Step[]) => {
    const { problems, steps: results } = await onLab(lab, steps)
    expect(problems).to.deep.equal([])
    return results.map((one) => one.split(' ', 1)[0])
  }

  const tree = async () => {
    const words = (await on(`python3 -c ${quote(TREE)}`)).split('\0').slice(0, -1)
    const entries = words.flatMap((path, i) => (i % 2 === 0 ? [[path, words[i + 1] ?? ''] as const] : []))
    return Object.fromEntries(
      entries.map(([path, what]) => [
        path,
        what.replace(/^(file \S+ \S+ )([0-9a-f]*)$/, (_, own, hex) => own + sha(Buffer.from(String(hex), 'hex'))),
      ]),
    )
  }

  it(`have the declared bytes and names, in all kinds (SEED=${SEED})`, async () => {
    const world = new World(SEED)
    for (let round = 1; round <= ROUNDS; round++) {
      const steps = world.wishes()
      const about = `SEED=${SEED}, round ${round}`
      const plan = await onLab(lab, steps, 'plan')
      expect(await tree(), `${about}: a check changes nothing`).to.deep.equal(world.before)
      const ran = await onLab(lab, steps)
      expect(ran.problems, about).to.deep.equal([])
      // The outcome of some steps depends on earlier steps: the plan says that they may change.
      const open = plan.steps.flatMap((one, i) => (one.startsWith('deferred ') ? i : []))
      const decided = (all: readonly string[]) =>
        all.map((one, i) => (open.includes(i) ? one.replace(/^\w+ /, '') : one.replace(/^planned/, 'changed')))
      expect(decided(ran.steps), about).to.deep.equal(decided(plan.steps))
      expect(await tree(), about).to.deep.equal(world.after)
      const again = await onLab(lab, steps)
      expect(
        again.steps.filter((one) => !one.startsWith('ok ')),
        `${about}: a second run`,
      ).to.deep.equal([])
    }
    expect(world.kinds).to.include.keys('file', 'directory', 'link', 'absent', 'line', 'transaction')
  })

  it('are whole, and readable only for the declared users, at every moment', async () => {
    await on(
      'mkdir -p /srv/watched; printf old > /srv/watched/a; chmod 640 /srv/watched/a; chgrp operator /srv/watched/a',
    )
    const naive = `printf new > /srv/watched/a; sleep 0.3; printf newer > /srv/watched/b; sleep 0.2; chmod 600 /srv/watched/b`
    const seenOfNaive = await watched(async () => void (await on(naive)))
    expect(
      seenOfNaive.some((one) => one.startsWith('b 644 root root')),
      'the watcher sees what it should',
    ).to.equal(true)
    await on('rm /srv/watched/b; printf old > /srv/watched/a')
    const secret = new Secret(() => 'new'.repeat(100_000))
    const seen = await watched(async () => {
      await made(
        file('/srv/watched/a', secret, { owner: 'deploy' }),
        file('/srv/watched/b', secret, { owner: 'deploy' }),
        transaction('both', [file('/srv/watched/c', secret, { owner: 'deploy' })]),
      )
      await made(file('/srv/watched/a', secret, { owner: 'operator', mode: '0440' }))
    })
    const right =
      /^(a 640 root operator 3 old|[abc] 600 deploy deploy 300000 new|a 400 deploy deploy 300000 new|a 400 operator operator 300000 new|a 440 operator operator 300000 new)$/
    const staged =
      /^\.[abc]\.provision-[0-9a-f]{8} ((600|640) (root|deploy) (root|operator|deploy) 0 |600 deploy deploy \d+ (new)?)$/
    expect(seen.filter((one) => !right.test(one) && !staged.test(one))).to.deep.equal([])
    expect(seen.filter((one) => right.test(one)).length).to.be.greaterThan(3)
  })

  it('keep their ACLs and extended attributes, in transactions too', async () => {
    await on('apt-get -qq update && apt-get -qq install -y acl attr >/dev/null')
    const kept = async (name: string) =>
      (
        await on(
          `cd /srv/kept; getfacl -c ${name} | grep -v '^mask\\|^$' | grep operator; getfattr --only-values -n user.origin ${name}`,
        )
      ).trim()
    await on(
      `mkdir -p /srv/kept; cd /srv/kept; for n in a b c d e; do printf old > $n; setfacl -m u:operator:r $n; setfattr -n user.origin -v here $n; done`,
    )
    const had = await kept('a')
    expect(had).to.match(/^user:operator:r--\s+here$/)
    await made(
      file('/srv/kept/a', 'new'),
      file('/srv/kept/b', 'new', { owner: 'deploy', mode: '0640' }),
      line('/srv/kept/c', 'new'),
      transaction('d', [file('/srv/kept/d', 'new', { owner: 'deploy', mode: '0640' })]),
    )
    for (const name of ['a', 'b', 'c', 'd']) expect(await kept(name), name).to.equal(had)
    const { problems } = await onLab(
      lab,
      transaction('e', [file('/srv/kept/e', 'new')], {
        activate: { name: 'e', commands: [{ script: sh`[ "$(cat /srv/kept/e)" = old ]` }] },
      }),
    )
    expect(problems.join()).to.include('The old files are restored and active')
    expect(await kept('e')).to.equal(had)
    expect(await on('cat /srv/kept/e')).to.equal('old')
  })

  it('are streamed from this machine, once, and not again', async () => {
    const desk = mkdtempSync(join(tmpdir(), 'provision-files-'))
    try {
      const bytes = Buffer.alloc(24 * 1024 * 1024, 'large \0 file')
      writeFileSync(join(desk, 'large #1'), bytes)
      const here = { url: pathToFileURL(join(desk, 'playbook.ts')).href }
      const step = () => [
        file('/srv/large/plain', localFile(here, 'large #1'), { owner: 'deploy', mode: '0640' }),
        transaction('large', [file('/srv/large/together', localFile(here, 'large #1'))]),
      ]
      const first = await onLab(lab, step())
      expect(first.problems).to.deep.equal([])
      expect(first.summary.sent)
        .to.be.greaterThan(2 * bytes.length)
        .and.below(2.1 * bytes.length)
      const hash = createHash('sha256').update(bytes).digest('hex')
      expect(await on('cd /srv/large; sha256sum < plain; sha256sum < together; stat -c %U:%a plain; ls -A')).to.equal(
        `${hash}  -\n${hash}  -\ndeploy:640\nplain\ntogether\n`,
      )
      const second = await onLab(lab, step())
      expect(second.summary.hosts[0]).to.include({ changed: 0 })
      expect(second.summary.sent).to.be.below(100_000)
      await on('cd /srv/large; printf x | dd of=plain bs=1 seek=1000000 conv=notrunc 2>/dev/null')
      expect((await onLab(lab, step())).steps).to.deep.equal(['changed file /srv/large/plain', 'ok transaction large'])
      writeFileSync(join(desk, 'large #1'), bytes.subarray(1))
      expect((await onLab(lab, step())).summary.hosts[0]).to.include({ changed: 2, failed: 0 })
      expect(readFileSync(join(desk, 'large #1')).length).to.equal(bytes.length - 1)
    } finally {
      rmSync(desk, { recursive: true })
    }
  })

  it('are not sent if there is not enough space', async () => {
    const desk = mkdtempSync(join(tmpdir(), 'provision-files-'))
    try {
      writeFileSync(join(desk, 'large'), Buffer.alloc(24 * 1024 * 1024))
      await on('mkdir -p /srv/small; mount -t tmpfs -o size=8m tmpfs /srv/small')
      const here = { url: pathToFileURL(join(desk, 'playbook.ts')).href }
      const { problems, summary } = await onLab(lab, file('/srv/small/large', localFile(here, 'large')))
      expect(problems.join()).to.match(/Not enough space in \/srv\/small: 25165824 bytes needed, \d+ free/)
      expect(summary.sent).to.be.below(100_000)
      expect(await on('ls -A /srv/small; umount /srv/small')).to.equal('')
    } finally {
      rmSync(desk, { recursive: true })
    }
  })

  it('are written through links if the option is set, and replace the link otherwise', async () => {
    await on(
      'mkdir -p /srv/links/real; cd /srv/links; printf old > real/a; ln -s real/a a; ln -s a b; printf old > real/c; ln -s real/c c',
    )
    expect(await made(file('/srv/links/b', 'new', { follow: true }), file('/srv/links/c', 'new'))).to.deep.equal([
      'changed',
      'changed',
    ])
    expect(
      await on('cd /srv/links; readlink a b; cat real/a real/c c; readlink c || echo file; ls -A . real'),
    ).to.equal('real/a\na\nnewoldnewfile\n.:\na\nb\nc\nreal\n\nreal:\na\nc\n')
    expect(await made(file('/srv/links/b', 'new', { follow: true, mode: '0600' }))).to.deep.equal(['changed'])
    expect(await on('stat -c %a /srv/links/real/a')).to.equal('600\n')
  })

  it('remove temporary files of a crashed write', async () => {
    await on(
      `mkdir -p /srv/crashed; cd /srv/crashed; touch .a.provision-0a1b2c3d .a.provision-mine '.b.provision-0a1b2c3d'; printf old > b`,
    )
    await made(file('/srv/crashed/a', 'new'), link('/srv/crashed/b', { target: 'a' }))
    expect(await on('ls -A /srv/crashed')).to.equal('.a.provision-mine\na\nb\n')
  })

  /** Watches a directory on the host while something runs: name, mode, owner, size and start of each file. */
  async function watched(happens: () => Promise<void>): Promise<readonly string[]> {
    await on('rm -f /run/watch-*')
    const watching = on(`python3 -c ${quote(WATCH)}`)
    await eventually(async () => (await lab.exec('web1', '[ -e /run/watch-on ]')).code === 0)
    await happens()
    await on('touch /run/watch-off')
    return (await watching).trimEnd().split('\n')
  }
})

const WATCH = `
import os, pwd, grp
seen = set()
open('/run/watch-on', 'w').close()
d = '/srv/watched'
while not os.path.exists('/run/watch-off'):
    for name in os.listdir(d):
        try:
            f = os.open(d + '/' + name, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        s = os.fstat(f)
        text = os.read(f, 3).decode()
        # Of the same file as its mode: a name may lead to another one by now.
        seen.add('%s %o %s %s %d %s' % (name, s.st_mode & 0o7777, pwd.getpwuid(s.st_uid)[0], grp.getgrgid(s.st_gid)[0], s.st_size, text if s.st_size else ''))
        os.close(f)
print('\\n'.join(sorted(seen)))
`

/** All entries below the test directory: name, kind, mode, owner and content, separated by NULs. */
const TREE = `
import os, pwd, grp
all = {}
for d, dirs, files in os.walk('/srv/any'):
    for name in dirs + files:
        p = os.path.join(d, name)
        s = os.lstat(p)
        if os.path.islink(p): all[p] = 'link ' + os.readlink(p)
        else:
            own = '%04o %s:%s' % (s.st_mode & 0o7777, pwd.getpwuid(s.st_uid)[0], grp.getgrgid(s.st_gid)[0])
            if os.path.isdir(p): all[p] = 'directory ' + own
            else: all[p] = 'file %s %s' % (own, open(p, 'rb').read().hex())
os.write(1, b''.join(os.fsencode(p + '\\0' + all[p] + '\\0') for p in all))
`
