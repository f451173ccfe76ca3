import { sha256 } from '../../src/resources/files/content.ts'
import { loadedTable, lockoutCheck, noOtherFirewall } from '../../src/resources/firewall/firewall.ts'
import { command } from '../../src/resources/system/command.ts'
import { sysctl } from '../../src/resources/system/sysctl.ts'
import { reboot } from '../../src/resources/systemd/reboot.ts'
import { service } from '../../src/resources/systemd/service.ts'
import { dropIn, unit } from '../../src/resources/systemd/unit.ts'
import { sh } from '../../src/shell/sh.ts'
import { entry, type Row, running, start, there } from './kind-row.ts'

/** Rows of kinds that act on services, accounts and the kernel. */
export const SYSTEM_ROWS: Readonly<Record<string, Row>> = {
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
    have: { ...running, active: false, isInactiveAfterRun: true },
    refuses: 'job.service is a oneshot without RemainAfterExit: it is inactive after it has run',
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
    refuses: '/etc/sysctl.d/99-vendor.conf sets net.t = 60 at boot, which overrides the wanted 25',
  },
  'settings of the kernel that are in force until the next boot': {
    step: sysctl('vip', { 'net.a': 1 }),
    have: [undefined, [['1'], [[]]]],
    differs: `create owner root, group root, mode 0644, content ${sha256('net.a = 1\n').slice(0, 12)}`,
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
  'a drop-in that is in the declared state': {
    step: dropIn('haproxy.service', 'limits', 'text'),
    have: [there, false],
  },
  'a unit that is in the declared state, of which systemd uses an older definition': {
    step: unit('notes.service', 'text'),
    have: [there, true],
    differs: 'change loaded definition outdated → this file',
    runs: ['systemctl daemon-reload'],
  },
  'a host that needs no reboot': { step: reboot(), have: undefined },
  'a host that needs a reboot': { step: reboot(), have: ['linux-image'], differs: 'reboot for linux-image' },
  'a firewall as it was loaded': { step: loadedTable({ rules: [] }), have: true },
  'a firewall that was changed since': {
    step: loadedTable({ rules: [] }),
    have: false,
    differs: 'change table changed since it was loaded → as declared',
  },
  'no other firewall': { step: noOtherFirewall({ file: '/etc/own' }), have: [] },
  'another firewall': {
    step: noOtherFirewall({ file: '/etc/own' }),
    have: [{ name: 'ufw', off: 'ufw disable' }],
    refuses: 'The host has another firewall: ufw.',
  },
  'ssh from this machine': { step: lockoutCheck({ from: ['10.0.0.0/8'] }), have: '10.1.2.3' },
  'no ssh from this machine': {
    step: lockoutCheck({ from: ['10.0.0.0/8'] }),
    have: '192.0.2.1',
    refuses: 'The firewall would lock out this machine, which connects from 192.0.2.1.',
  },
}
