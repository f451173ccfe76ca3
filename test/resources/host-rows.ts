import { probe } from '../../src/model/playbook/probe.ts'
import type { Step } from '../../src/model/resource/step.ts'
import { alternatives } from '../../src/resources/system/alternatives.ts'
import { systemHostname } from '../../src/resources/system/hostname.ts'
import { kernelModule } from '../../src/resources/system/kernel-module.ts'
import { locale } from '../../src/resources/system/locale.ts'
import { mount } from '../../src/resources/system/mount.ts'
import { swap } from '../../src/resources/system/swap.ts'
import { timezone } from '../../src/resources/system/timezone.ts'
import { waitFor } from '../../src/resources/system/wait-for.ts'
import { sh } from '../../src/shell/sh.ts'
import type { Row } from './kind-row.ts'

const [, , loaded] = kernelModule('br-netfilter') as readonly Step[]
const [, blocked] = kernelModule.blocked('floppy') as readonly Step[]
const data = mount('/srv/data', { source: 'UUID=1-2', type: 'ext4', options: ['noatime'], pass: 2 })
const line = 'UUID=1-2 /srv/data ext4 noatime 0 2'
const mounted = { type: 'ext4', options: ['rw', 'noatime'], isSource: true }
const swapped = { path: '/swapfile', size: 512, content: 'swap', priority: -2 }
const swapState = (area: object, ...fstab: readonly string[]) => ({
  fstab,
  area: { ...swapped, ...area },
  isContainer: false,
})
const swapLine = '/swapfile none swap sw 0 0'
const group = { isAutomatic: false, path: '/usr/bin/vi', paths: ['/usr/bin/vi', '/bin/ed'] }
const names = { now: 'web1', kept: 'web1', hosts: ['127.0.0.1 localhost', '127.0.1.1\tweb1'], cloud: undefined }

/** Rows of kinds that set up the host itself. */
export const HOST_ROWS: Readonly<Record<string, Row>> = {
  'the time zone that is wanted': {
    step: timezone('Europe/Berlin'),
    have: { zone: 'Europe/Berlin', file: undefined, isKnown: true },
  },
  'another time zone, which /etc/timezone has too': {
    step: timezone('Europe/Berlin'),
    have: { zone: 'Etc/UTC', file: 'Etc/UTC', isKnown: true },
    differs: 'change zone Etc/UTC → Europe/Berlin, /etc/timezone Etc/UTC → Europe/Berlin',
  },
  'the locale that is wanted': {
    step: locale('de_DE.UTF-8'),
    have: { lang: 'de_DE.UTF-8', available: ['C', 'de_DE.utf8'], generated: ['de_DE.UTF-8'] },
  },
  'a locale that was generated and will not be again': {
    step: locale('C.UTF-8', { also: ['de_DE.UTF-8'] }),
    have: { lang: 'C', available: ['C', 'de_DE.utf8'], generated: [] },
    differs: 'change locale de_DE.UTF-8, LANG C → C.UTF-8',
  },
  'the name of the host that is wanted': { step: systemHostname('web1'), have: names },
  'a name of the host that has another address in /etc/hosts': {
    step: systemHostname('web1', { domain: 'example.com' }),
    have: { ...names, hosts: ['10.0.0.5 web1.example.com web1 # static'] },
  },
  'another name of the host, without its domain': {
    step: systemHostname('web1', { domain: 'example.com' }),
    have: { ...names, now: 'old', kept: 'old' },
    differs:
      'change name old → web1, name at boot old → web1, /etc/hosts 127.0.1.1 web1 → 127.0.1.1 web1.example.com web1',
  },
  'a name of the host that cloud-init would set': {
    step: systemHostname('web1'),
    have: { ...names, cloud: { isSet: false, userData: ['preserve_hostname: true', 'manage_etc_hosts: false'] } },
    differs: 'change cloud-init sets the name → keeps the name',
  },
  'a name of the host that user data would undo': {
    step: systemHostname('web1'),
    have: { ...names, cloud: { isSet: true, userData: ['manage_etc_hosts: localhost'] } },
    refuses: 'The user data of cloud-init would undo the name at the next boot',
  },
  'the alternative that is wanted': { step: alternatives('editor', '/usr/bin/vi'), have: group },
  'an alternative that automatic mode chose': {
    step: alternatives('editor', '/usr/bin/vi'),
    have: { ...group, isAutomatic: true },
    differs: 'change path /usr/bin/vi (auto) → /usr/bin/vi',
    runs: ['update-alternatives --quiet --set editor /usr/bin/vi'],
  },
  'alternatives in automatic mode': {
    step: alternatives('editor', 'auto'),
    have: group,
    differs: 'change path /usr/bin/vi → auto',
    runs: ['update-alternatives --quiet --auto editor'],
  },
  'an alternative to register': {
    step: alternatives('editor', '/opt/ed', { link: '/usr/bin/editor' }),
    have: undefined,
    differs: 'create path /opt/ed',
    runs: [
      'update-alternatives --quiet --install /usr/bin/editor editor /opt/ed 50 && update-alternatives --quiet --set editor /opt/ed',
    ],
  },
  'a file system that is mounted and kept': { step: data, have: { fstab: ['# a', line], mounted } },
  'a file system that is mounted until the next boot': {
    step: data,
    have: { fstab: [], mounted },
    differs: 'change fstab UUID=1-2 ext4 noatime 2',
  },
  'a file system that is kept and not mounted': {
    step: data,
    have: { fstab: [line], mounted: undefined },
    differs: 'change mounted no → yes',
  },
  'a file system of another source, with other options': {
    step: data,
    have: {
      fstab: ['UUID=3-4 /srv/data ext4 defaults', line],
      mounted: { ...mounted, isSource: false, options: ['rw', 'relatime'] },
    },
    differs:
      'change fstab several lines → UUID=1-2 ext4 noatime 2, source another one → UUID=1-2, options not noatime → noatime',
  },
  'a swap that is used and kept': { step: swap('/swapfile', { size: '512M' }), have: swapState({}, swapLine) },
  'a swap that is used until the next boot': {
    step: swap('/swapfile', { size: '512M' }),
    have: swapState({}, '# a', '/swap2 none swap sw 0 0'),
    differs: 'change fstab swap sw',
  },
  'a swap of another size and priority': {
    step: swap('/swapfile', { size: '1G', priority: 5 }),
    have: swapState({}, swapLine),
    differs: 'change fstab swap sw → swap sw,pri=5, size 512 MiB → 1024 MiB, priority -2 → 5',
  },
  'a new swap on a device': {
    step: swap('UUID=1-2'),
    have: swapState({ path: '/dev/sdb', size: undefined, content: '', priority: undefined }),
    differs: 'create fstab swap sw, used no → yes',
  },
  'a device that holds a file system': {
    step: swap('/dev/sdb'),
    have: swapState({ path: '/dev/sdb', size: undefined, content: 'ext4', priority: undefined }),
    refuses: '/dev/sdb holds ext4, so it is not made a swap',
  },
  'a device with partitions': {
    step: swap('/dev/sdb'),
    have: swapState({ path: '/dev/sdb', size: undefined, content: 'gpt', priority: undefined }),
    refuses: '/dev/sdb holds gpt, so it is not made a swap',
  },
  'a file of data in place of a swap': {
    step: swap('/swapfile', { size: '512M' }),
    have: swapState({ content: '', priority: undefined }),
    refuses: '/swapfile holds data, so it is not made a swap',
  },
  'a device that the host does not have': {
    step: swap('/dev/sdb'),
    have: swapState({ path: '', size: undefined, content: '', priority: undefined }),
    refuses: 'The host has no device /dev/sdb',
  },
  'a swap in a container': {
    step: swap('/swapfile', { size: '512M' }),
    have: { ...swapState({ path: '', size: undefined, content: '', priority: undefined }), isContainer: true },
    refuses: 'The host is a container, so /swapfile cannot be its swap',
  },
  'no swap': {
    step: swap.absent('/swapfile'),
    have: swapState({ size: undefined, content: '', priority: undefined }, '/swap2 none swap sw 0 0'),
  },
  'a swap that is to go': {
    step: swap.absent('/swapfile'),
    have: swapState({}, swapLine),
    differs: 'remove used yes → no, fstab swap sw → absent, file 512 MiB → absent',
  },
  'no file system': { step: mount.absent('/srv/data'), have: { fstab: ['# /srv/data'], mounted: undefined } },
  'a file system that must go': {
    step: mount.absent('/srv/data'),
    have: { fstab: [line], mounted },
    differs: 'remove mounted yes → no, fstab UUID=1-2 ext4 noatime 2 → absent',
  },
  'a module that is built into the kernel': { step: stepAt(loaded), have: { state: 'built in', isContainer: true } },
  'a module that is not loaded': {
    step: stepAt(loaded),
    have: { state: 'absent', isContainer: false },
    differs: 'start module absent → loaded',
    runs: ['modprobe br_netfilter'],
  },
  'a module that a container cannot load': {
    step: stepAt(loaded),
    have: { state: 'absent', isContainer: true },
    refuses: 'The host is a container, so the module br_netfilter cannot be loaded',
  },
  'a module that must not be loaded': {
    step: stepAt(blocked),
    have: { state: 'loaded', isContainer: false },
    differs: 'stop module loaded → absent',
    runs: ['modprobe -r floppy'],
  },
  'a module that cannot be removed': {
    step: stepAt(blocked),
    have: { state: 'built in', isContainer: false },
    refuses: 'The module floppy is built into the kernel, so it cannot be removed',
  },
  'a condition that is true': { step: waitFor({ port: 80 }), have: true },
  'a condition that is not true yet': {
    step: waitFor(probe('it is ready', sh`app ready`)),
    have: false,
    differs: 'run',
  },
}

function stepAt(step: Step | undefined): Step {
  if (!step) throw new Error('the kind makes this step')
  return step
}
