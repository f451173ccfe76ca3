import { expect } from 'chai'
import { downLab, type Lab } from '../../src/lab/index.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { absent } from '../../src/resources/files/absent.ts'
import { directory } from '../../src/resources/files/directory.ts'
import { file } from '../../src/resources/files/file.ts'
import { line } from '../../src/resources/files/line.ts'
import { link } from '../../src/resources/files/link.ts'
import { build, release } from '../../src/resources/releases/release.ts'
import { sysctl } from '../../src/resources/system/sysctl.ts'
import { user } from '../../src/resources/system/user.ts'
import { unit } from '../../src/resources/systemd/unit.ts'
import { transaction } from '../../src/resources/transaction/transaction.ts'
import { onLab } from './lab-site.ts'
import { freshLab, noHosts, ROOT } from './support.ts'

const LAB = 'test-full-disk'

/** Too large for the inode of a file. */
const LARGE = 'new content\n'.repeat(3000)

describe('a host with a full disk', function () {
  this.slow('60s')
  let lab: Lab

  const on = async (command: string) => (await lab.exec('web1', command)).stdout.trim()

  /** The declared state of each kind; the host has an older one. */
  const kinds = (): Readonly<Record<string, Step>> => {
    const sources = build(`${ROOT}/src/shell`, 'There are sources.')
    return {
      file: file('/srv/d/file', LARGE),
      'new small file': file('/srv/d/small', 'x\n'.repeat(1000)),
      'binary file': file('/srv/d/binary', Buffer.from(`\0${LARGE}`)),
      unit: unit('full.service', `[Service]\nExecStart=/bin/true\n# ${'x'.repeat(9000)}\n`),
      sysctl: sysctl('full', { 'net.ipv4.ip_nonlocal_bind': 1 }),
      line: line('/srv/d/lines', 'name = new', { match: /^name/ }),
      directory: directory('/srv/d/new/one'),
      transaction: transaction('pair', [file('/srv/d/t1', LARGE), file('/srv/d/t2', LARGE)]),
      absent: absent('/srv/d/gone'),
      release: release(`/srv/d/releases/${sources.id}`, sources),
      user: user('fullone', { home: '/srv/full' }),
      link: link('/srv/d/links/deep/link', { target: '../file' }),
    }
  }
  const CONTENTS = `cd / && find srv/d etc/systemd/system etc/sysctl.d var/lib/provision root -xdev ! -name 'filler*' -printf '%p %y %m %l\\n' | sort; find srv/d etc/systemd/system etc/sysctl.d -type f ! -name 'filler*' -exec sha256sum {} + | sort -k2; sha256sum etc/passwd etc/group`

  before(async function () {
    if (noHosts()) return this.skip()
    lab = await freshLab({ name: LAB, hosts: ['web1'] })
    const [old] = [`'old\\n'`]
    await on(`mkdir -p /srv/d /srv/d/gone && cd /srv/d && for one in file binary t1 t2 gone/a; do printf ${old} > $one; done
awk 'BEGIN { for (i = 0; i < 20000; i++) print "line " i; print "name = old" }' > lines
printf '[Service]\\nExecStart=/bin/false\\n' > /etc/systemd/system/full.service; systemctl daemon-reload`)
    // Creates the files that only the first run on a host creates.
    await onLab(lab, transaction('first', [file('/root/first', 'x')]))
  })
  after(async () => {
    if (!noHosts()) await downLab(LAB)
  })

  const fills: Readonly<
    Record<
      string,
      {
        readonly fill: () => Promise<unknown>
        readonly free: () => Promise<unknown>
        /** Kinds that write to this file system. */
        readonly of: (kind: string) => boolean
      }
    >
  > = {
    'no byte is free': {
      fill: () => lab.fillDisk('web1'),
      free: () => lab.freeDisk('web1'),
      of: () => true,
    },
    'no inode is free': {
      fill: () =>
        on(`mount -t tmpfs -o mode=755,nr_inodes=200 tmpfs /mnt && cp -a /srv/d/. /mnt && mount --bind /mnt /srv/d || exit
i=0; while : > /srv/d/filler$i; do i=$((i + 1)); done`),
      free: () => on('umount /srv/d && umount /mnt'),
      of: (kind) => !['unit', 'sysctl', 'user', 'absent'].includes(kind),
    },
  }
  for (const [what, { fill, free, of }] of Object.entries(fills)) {
    it(`keeps the old content of each kind and reports a full disk, if ${what}`, async () => {
      const before = await on(CONTENTS)
      await fill()
      const missed: string[] = []
      try {
        for (const [kind, step] of Object.entries(kinds())) {
          if (!of(kind)) continue
          const { problems } = await onLab(lab, step)
          const said = problems.join('\n')
          if (!/^web1: /.test(said) || !/Likely cause: the disk is full/.test(said)) missed.push(`${kind}: ${said}`)
        }
        expect(await on(CONTENTS)).to.equal(before)
      } finally {
        await free()
      }
      expect(missed).to.deep.equal([])
    })
  }

  it('converges once there is space again; the second run changes nothing', async () => {
    const first = await onLab(lab, Object.values(kinds()))
    expect(first.problems).to.deep.equal([])
    expect(first.summary.hosts[0]).to.include({ failed: 0, changed: Object.keys(kinds()).length })
    const second = await onLab(lab, Object.values(kinds()))
    expect(second.summary.hosts[0]).to.include({ failed: 0, changed: 0 })
    expect(await on('cat /srv/d/lines | tail -n 1; sha256sum < /srv/d/t2; id -un fullone')).to.match(
      /^name = new\n[0-9a-f]{64} {2}-\nfullone$/,
    )
  })
})
