import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { readAll } from '../../../src/model/resource/read.ts'
import type { Step } from '../../../src/model/resource/step.ts'
import { alternatives } from '../../../src/resources/system/alternatives.ts'
import { decoded, entriesIn, withEntry } from '../../../src/resources/system/fstab.ts'
import { systemHostname } from '../../../src/resources/system/hostname.ts'
import { kernelModule } from '../../../src/resources/system/kernel-module.ts'
import { locale } from '../../../src/resources/system/locale.ts'
import { mount } from '../../../src/resources/system/mount.ts'
import { swap } from '../../../src/resources/system/swap.ts'
import { timezone } from '../../../src/resources/system/timezone.ts'
import { waitFor } from '../../../src/resources/system/wait-for.ts'
import { converge, fakeHost } from '../../../src/testing/index.ts'
import { temporary } from '../../support/rig.ts'
import { parsed } from '../parsed.ts'

const all = (steps: unknown) => steps as readonly Step[]

describe('the host', () => {
  it('has no invalid names, paths and options', () => {
    const wrong: readonly (readonly [() => unknown, string])[] = [
      [() => timezone('../etc'), 'timezone: "../etc" is not the name of a time zone'],
      [() => locale('de_DE'), 'locale: "de_DE" is not the name of a locale'],
      [() => locale('C', { also: ['de_DE.ISO-8859-1'] }), 'is not the name of a locale'],
      [() => systemHostname('web1.example.com'), 'systemHostname: "web1.example.com" is not a name of letters'],
      [() => systemHostname('-a'), 'is not a name of letters'],
      [() => systemHostname('a', { domain: 'x..y' }), 'systemHostname: "x..y" is not a domain'],
      [() => alternatives('a/b', 'auto'), 'alternatives: the name "a/b" has a slash'],
      [() => alternatives('a', 'auto', { link: '/b' }), 'alternatives a: a link needs a path'],
      [() => alternatives('a', '/b', { priority: 1.5 }), 'alternatives a: the priority is not a whole number'],
      [() => mount('/a', { source: '', type: 'ext4' }), 'mount /a: the source is empty'],
      [() => mount('/a', { source: 'b', type: 'a b' }), '"a b" is not the type of a file system'],
      [() => mount('/a', { source: 'b', type: 'ext4', options: ['ro,rw'] }), '"ro,rw" is not one option'],
      [() => mount('/a', { source: 'b', type: 'ext4', pass: 3 }), 'mount /a: pass is 0, 1 or 2'],
      [() => swap('/a'), 'swap /a: a file needs a size, such as 2G'],
      [() => swap('/dev/sdb', { size: '1G' }), 'swap /dev/sdb: a device has the size that it has'],
      [() => swap('/a', { size: '1.5G' }), 'swap /a: "1.5G" is not a size such as 512M or 2G'],
      [() => swap('/dev/sdb', { priority: -1 }), 'swap /dev/sdb: the priority is a whole number from 0 to 32767'],
      [() => swap.absent('/a/'), 'swap.absent /a/: the path "/a/" ends with a slash'],
      [() => kernelModule('a b'), 'kernelModule: "a b" is not the name of a module'],
      [() => kernelModule('a', { params: { b: 'c d' } }), 'b=c d is not a parameter without spaces and quotes'],
      [() => waitFor({ port: 0 }), 'waitFor: 0 is not a port from 1 to 65535'],
      [() => waitFor({ path: '/a/' }), 'waitFor: the path "/a/" ends with a slash'],
    ]
    for (const [make, words] of wrong) expect(make, words).to.throw(TypeError, words)
  })

  it('is read: time zone, locales and names', () => {
    expect(parsed(timezone('A/B').read, 'link:/usr/share/zoneinfo/Etc/UTC\nfile:UTC\nknown\n')).to.deep.equal({
      ...{ zone: 'Etc/UTC', file: 'UTC', isKnown: true },
    })
    expect(parsed(timezone('A/B').read, 'link:\n')).to.deep.equal({ zone: undefined, file: undefined, isKnown: false })
    expect(parsed(locale('de_DE.UTF-8').read, 'LANG="C"\nC\nde_DE.utf8\nGenerated:\nde_DE.UTF-8\n')).to.deep.equal({
      ...{ lang: 'C', available: ['C', 'de_DE.utf8'], generated: ['de_DE.UTF-8'] },
    })
    expect(parsed(locale('C').read, 'LANG=C\n')).to.include({ generated: undefined })
    const cloud = 'cloud:\nset:preserve_hostname: true\nset:manage_etc_hosts: false\nuser:manage_etc_hosts: true\n'
    expect(parsed(systemHostname('a').read, `now:a\nkept:b\nhosts:127.0.0.1 x\n${cloud}`)).to.deep.equal({
      ...{ now: 'a', kept: 'b', hosts: ['127.0.0.1 x'] },
      cloud: { isSet: true, userData: ['manage_etc_hosts: true'] },
    })
  })

  it('is read: alternatives, mounts and modules', () => {
    const steps = readAll([alternatives('a', 'auto').read, alternatives('b', 'auto').read])
    const answer =
      'Next:\nNext:\nName: b\nLink: /usr/bin/b\nStatus: manual\nValue: /x\n\nAlternative: /x\nPriority: 5\n'
    expect(parsed(steps, answer)).to.deep.equal([undefined, { isAutomatic: false, path: '/x', paths: ['/x'] }])
    const mountinfo = [
      '30 1 8:1 / /srv/a\\040b rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro',
      '31 1 0:5 / /tmp rw - tmpfs tmpfs rw,size=1024k',
    ].join('\n')
    const mounts = [
      mount('/srv/a b', { source: 'UUID=1', type: 'ext4' }),
      mount('/tmp', { source: 'tmpfs', type: 'tmpfs' }),
      mount('/none', { source: '/dev/sdb', type: 'ext4' }),
    ]
    const found = parsed(
      readAll(mounts.map(({ read }) => read)),
      '# fstab\n',
      `${mountinfo}\nis:/dev/sda1\nis:\nis:/dev/sdb\n`,
    )
    expect(found).to.deep.equal([
      {
        fstab: ['# fstab'],
        mounted: { type: 'ext4', options: ['rw', 'noatime', 'rw', 'errors=remount-ro'], isSource: true },
      },
      { fstab: ['# fstab'], mounted: { type: 'tmpfs', options: ['rw', 'rw', 'size=1024k'], isSource: true } },
      { fstab: ['# fstab'], mounted: undefined },
    ])
    const modules = ['loop', 'br-netfilter'].flatMap((name) => all(kernelModule(name)).slice(2))
    expect(parsed(readAll(modules.map(({ read }) => read)), 'built in\nabsent\ncontainer\n')).to.deep.equal([
      { state: 'built in', isContainer: true },
      { state: 'absent', isContainer: true },
    ])
  })

  it('has problems that an earlier step may solve', () => {
    const message = (step: Step, have: unknown) => step.diff(have)?.problem?.message
    expect(message(timezone('A/B'), { zone: 'UTC', file: undefined, isKnown: false })).to.equal(
      'The host does not know the time zone A/B',
    )
    expect(message(locale('de_DE.UTF-8'), { lang: 'C', available: [], generated: undefined })).to.equal(
      'The host cannot generate locales',
    )
    expect(message(alternatives('a', '/b'), undefined)).to.equal('/b is not an alternative of a')
    expect(message(alternatives('a', 'auto'), undefined)).to.equal('auto is not an alternative of a')
  })

  it('is read: swaps, by the path that a source leads to', () => {
    const swaps = [swap('/swap file', { size: '512M' }), swap('UUID=1-2'), swap('/dev/sdb')]
    const found = parsed(
      readAll(swaps.map(({ read }) => read)),
      '# fstab\n',
      'used:Priority:Filename\nused:-2:/swap\\040file\nused:5:/dev/sda2\narea:536870912:swap:/swap file\narea::swap:/dev/sda2\narea:::\n',
    )
    const state = (area: object) => ({ fstab: ['# fstab'], area, isContainer: false })
    expect(found).to.deep.equal([
      state({ path: '/swap file', size: 512, content: 'swap', priority: -2 }),
      state({ path: '/dev/sda2', size: undefined, content: 'swap', priority: 5 }),
      state({ path: '', size: undefined, content: '', priority: undefined }),
    ])
  })

  it('is read: partitions on a device of a swap, which it would destroy', function () {
    if (!['/sbin', '/usr/sbin'].some((folder) => existsSync(`${folder}/blkid`))) return this.skip()
    const directory = temporary()
    const image = Buffer.alloc(1024 ** 2)
    // One partition of Linux from sector 2 on, in a table of MBR.
    image.set([0x83, 0, 0, 0, 2, 0, 0, 0, 100], 450)
    image.set([0x55, 0xaa], 510)
    for (const [name, bytes] of [['parts', image] as const, ['empty', Buffer.alloc(1024 ** 2)] as const])
      writeFileSync(join(directory, name), bytes)
    const contentOf = (name: string) => {
      const [, area] = swap(`${directory}/${name}`, { size: '1M' }).read.parts
      const script = area?.family.script([area.query]).text ?? ''
      const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
      const stdout = execFileSync('sh', ['-c', script], { env, encoding: 'utf8' })
      return /^area:1048576:([^:]*):/m.exec(stdout)?.[1]
    }
    expect(['parts', 'empty'].map(contentOf)).to.deep.equal(['dos', ''])
    rmSync(directory, { recursive: true })
  })

  it('in use is not unmounted', () => {
    const mounted = { type: 'ext4', options: [], isSource: true }
    const [unmounted] = mount.absent('/a').apply({ fstab: [], mounted })
    expect(unmounted?.explain?.('umount: /a: target is busy.\n')?.what).to.equal('programs use the file system')
    expect(unmounted?.explain?.('umount: no')).to.equal(undefined)
    const area = { path: '/a', size: undefined, content: 'swap', priority: 1 }
    const [off] = swap.absent('/a').apply({ fstab: [], area, isContainer: false })
    expect(off?.explain?.('swapoff: /a: swapoff failed: Cannot allocate memory')?.what).to.equal(
      'the memory of the host cannot hold what is in the swap',
    )
    expect(off?.explain?.('swapoff: no')).to.equal(undefined)
  })

  it('converges on a fake host', async () => {
    const steps = [
      timezone('Europe/Berlin'),
      locale('de_DE.UTF-8'),
      systemHostname('web1', { domain: 'example.com' }),
      alternatives('editor', '/usr/bin/vi', { link: '/usr/bin/editor' }),
      mount('/srv/data', { source: '/dev/sdb1', type: 'ext4' }),
      mount.absent('/srv/old'),
      swap('/swapfile', { size: '512M', priority: 3 }),
      swap.absent('/dev/sdd'),
      kernelModule('loop', { params: { max_loop: 8 } }),
      kernelModule.blocked('floppy'),
      waitFor({ path: '/run/x' }),
    ]
    const host = fakeHost({
      packages: ['locales'],
      files: { '/etc/fstab': '# by hand\n/dev/sdc /srv/old ext4\n/dev/sdd none swap\n' },
    })
    host.state.mounts.set('/srv/old', { source: '/dev/sdc', type: 'ext4', options: 'rw' })
    host.state.modules.add('floppy')
    const run = await converge(steps, host)
    expect(run.plan).to.deep.equal([
      'change timezone Europe/Berlin',
      'change locale de_DE.UTF-8',
      'change hostname web1',
      'create alternatives editor',
      'create mount /srv/data',
      'remove mount /srv/old',
      'create swap /swapfile',
      'remove swap /dev/sdd',
      'create file /etc/modules-load.d/provision-loop.conf',
      'create file /etc/modprobe.d/provision-loop.conf',
      'start kernel module loop',
      'create file /etc/modprobe.d/provision-floppy.conf',
      'stop kernel module floppy',
      'run wait path /run/x',
    ])
    expect(run.files['/etc/fstab']?.text).to.equal(
      '# by hand\n/dev/sdb1 /srv/data ext4 defaults 0 0\n/swapfile none swap sw,pri=3 0 0\n',
    )
    expect(run.files['/etc/hosts']?.text).to.equal('127.0.1.1 web1.example.com web1\n')
    expect((await converge(steps, host)).plan).to.deep.equal([])
  })
})

describe('fstab', () => {
  it('is parsed with spaces and missing fields, and keeps comments', () => {
    const lines = ['# a', 'LABEL=x /srv/a\\040b ext4', '', 'tmpfs\t/tmp\ttmpfs size=1M,nosuid 0 2']
    expect(entriesIn(lines)).to.deep.equal([
      { source: 'LABEL=x', target: '/srv/a b', type: 'ext4', options: 'defaults', pass: 0, line: 1 },
      { source: 'tmpfs', target: '/tmp', type: 'tmpfs', options: 'size=1M,nosuid', pass: 2, line: 3 },
    ])
    expect(decoded('a\\134b\\011')).to.equal('a\\b\t')
    const wanted = { source: '/srv/x#y', target: '/srv/a b', type: 'none', options: 'bind', pass: 0 }
    const fits = ({ target }: { readonly target: string }) => target === '/srv/a b'
    expect(withEntry(lines, fits, wanted)).to.deep.equal([
      '# a',
      '/srv/x\\043y /srv/a\\040b none bind 0 0',
      '',
      'tmpfs\t/tmp\ttmpfs size=1M,nosuid 0 2',
    ])
    expect(withEntry(lines, fits, undefined)).to.have.length(3)
    expect(withEntry([], fits, wanted)).to.have.length(1)
  })
})
