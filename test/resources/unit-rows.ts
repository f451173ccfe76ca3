import type { Step } from '../../src/model/resource/step.ts'
import { cron } from '../../src/resources/system/cron.ts'
import { service } from '../../src/resources/systemd/service.ts'
import { timer } from '../../src/resources/systemd/timer.ts'
import { sh } from '../../src/shell/sh.ts'
import { entry, type Row, running, start, there } from './kind-row.ts'

const [calendar] = timer('job', { at: ['daily', '99:99'], run: sh`true` }) as readonly [Step]

/** Rows of services with all their options, timers and jobs of cron. */
export const UNIT_ROWS: Readonly<Record<string, Row>> = {
  'a service of which only the start at boot is wanted': {
    step: service('nginx', { state: 'any', enabled: true }),
    have: { ...running, active: false, enabled: false },
    differs: 'change enabled false → true',
    runs: ['systemctl enable -q nginx.service'],
  },
  'a service of which only the state is wanted': {
    step: service('nginx', { enabled: 'any' }),
    have: { ...running, active: false, enabled: false },
    differs: 'start state stopped → running',
    runs: [start('nginx.service')],
  },
  'a service with nothing wanted': {
    step: service('nginx', { state: 'any' }),
    have: { ...running, active: false, enabled: false },
  },
  'a service that must be masked': {
    step: service('nginx', { masked: true }),
    have: running,
    differs: 'stop state running → stopped, masked false → true',
    runs: ['systemctl stop nginx.service', 'systemctl mask -q nginx.service'],
  },
  'a service that is masked, as wanted': {
    step: service('nginx', { masked: true }),
    have: { ...running, active: false, enabled: false, masked: true, isLoaded: false },
  },
  'an unknown service that must be masked': {
    step: service('nginx', { masked: true }),
    have: { ...running, active: false, enabled: false, isLoaded: false },
    differs: 'stop masked false → true',
    runs: ['systemctl mask -q nginx.service'],
  },
  'a masked service that must run': {
    step: service('nginx', { masked: false }),
    have: { ...running, active: false, enabled: false, masked: true },
    differs: 'start state stopped → running, enabled false → true, masked true → false',
    runs: [
      'systemctl unmask -q nginx.service && systemctl unmask -q --runtime nginx.service',
      'systemctl enable -q nginx.service',
      start('nginx.service'),
    ],
  },
  'a service that is older than its configuration': {
    step: service('nginx', { restartedWhen: ['/etc/a', '/etc/b'] }),
    have: { ...running, changed: ['/etc/b'] },
    differs: 'restart changed since the start /etc/b',
    runs: [start('nginx.service').replace('systemctl start', 'systemctl restart')],
  },
  'a service of a user that is in the declared state': { step: service('sync', { user: 'ana' }), have: running },
  'a service of a user whose instance does not start at boot': {
    step: service('sync', { user: 'ana' }),
    have: { ...running, lingers: false },
    differs: 'change starts at boot false → true',
    runs: ['loginctl enable-linger ana'],
  },
  'times that systemd accepts': { step: calendar, have: [undefined, undefined] },
  'a time that systemd does not accept': {
    step: calendar,
    have: [undefined, 'Failed to parse calendar specification'],
    refuses: 'systemd does not accept the time "99:99"',
  },
  'a timer that must go': {
    step: timer.absent('job'),
    have: [
      [there, undefined],
      [running, { ...running, active: false }],
    ],
    differs: 'remove job.timer running → stopped, /etc/systemd/system/job.timer file → absent',
  },
  'no timer': {
    step: timer.absent('job'),
    have: [
      [undefined, undefined],
      [
        { ...running, active: false },
        { ...running, active: false },
      ],
    ],
  },
  'jobs of cron': {
    step: cron('job', [{ at: '@daily', run: sh`true` }]),
    have: [entry({ type: 'file', owner: 'ana', group: 'root', sha256: undefined, mode: '0600', size: 3 }), true],
    differs: 'change owner ana → root, mode 0600 → 0644, content 3 bytes → 4a5afbd82b45',
  },
}
