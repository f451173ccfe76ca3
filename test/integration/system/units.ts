import { cron, file, pkg, service, sh, timer, unit, user } from '../../../src/index.ts'
import type { Cases } from './case.ts'

const SLEEPER = '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n'
const STATE = "systemctl show -p LoadState,ActiveState,UnitFileState --value watched | tr '\\n' ' '"

export const UNITS: Cases = {
  'a unit that is enabled and not started': {
    steps: [unit('watched.service', SLEEPER), service('watched', { state: 'any', enabled: true })],
    look: STATE,
    shows: 'loaded inactive enabled',
  },
  'a unit that is started, and stays enabled or not': {
    prepare: 'systemctl disable -q watched',
    steps: service('watched', { enabled: 'any' }),
    plan: ['start service watched'],
    look: STATE,
    shows: 'loaded active disabled',
  },
  'a restart if a file has changed, also by others': {
    prepare: 'echo by hand > /etc/watched.conf',
    steps: service('watched', { enabled: 'any', restartedWhen: ['/etc/watched.conf'] }),
    plan: ['restart service watched'],
  },
  'one restart for a file that a step of the same run writes': {
    steps: [
      file('/etc/watched.conf', 'by a step\n'),
      service('watched', { enabled: 'any', restartedWhen: ['/etc/watched.conf'] }),
    ],
    plan: ['change file /etc/watched.conf', 'restart service watched'],
  },
  'a masked unit of a package': {
    steps: service('systemd-tmpfiles-clean.timer', { masked: true }),
    plan: ['stop service systemd-tmpfiles-clean.timer'],
    look: 'systemctl is-enabled systemd-tmpfiles-clean.timer; systemctl is-active systemd-tmpfiles-clean.timer',
    shows: 'masked\ninactive',
  },
  'a masked unit that must run': {
    steps: service('systemd-tmpfiles-clean.timer'),
    fails: 'systemd-tmpfiles-clean.timer is masked, so it cannot be started',
  },
  'a masked unit without its mask': {
    steps: service('systemd-tmpfiles-clean.timer', { masked: false }),
    plan: ['start service systemd-tmpfiles-clean.timer'],
    look: 'systemctl is-enabled systemd-tmpfiles-clean.timer; systemctl is-active systemd-tmpfiles-clean.timer',
    shows: 'static\nactive',
  },
  'a service of a user, which starts without a login': {
    steps: [
      user('ursula', { system: false }),
      file('/etc/systemd/user/own.service', SLEEPER.replace('multi-user', 'default')),
      service('own', { user: 'ursula' }),
    ],
    plan: ['create user ursula', 'create file /etc/systemd/user/own.service', 'start service own of ursula'],
    look: 'ls /var/lib/systemd/linger; runuser -u ursula -- env XDG_RUNTIME_DIR=/run/user/$(id -u ursula) systemctl --user is-enabled own; pgrep -u ursula -c sleep',
    shows: 'ursula\nenabled\n1',
  },
  'a service of a user that must not run': {
    steps: service('own', { user: 'ursula', state: 'stopped' }),
    plan: ['stop service own of ursula'],
    look: 'pgrep -u ursula -c sleep',
    shows: '0',
  },
  'a timer, with characters that systemd and the shell would replace': {
    steps: timer('report', {
      at: ['daily', 'Mon..Fri 02:30'],
      run: sh`printf '%s\n' ${'100% "$HOME" \\ it\'s'} > /tmp/report`,
      as: 'daemon',
    }),
    plan: [
      'create unit /etc/systemd/system/report.service',
      'create unit /etc/systemd/system/report.timer',
      'start service report.timer',
    ],
    look: 'rm -f /tmp/report; systemctl start report; cat /tmp/report; stat -c %U /tmp/report; systemctl is-enabled report.timer; systemctl is-active report.timer',
    shows: '100% "$HOME" \\ it\'s\ndaemon\nenabled\nactive',
  },
  'other times, which the running timer uses': {
    steps: timer('report', { at: '04:05', run: sh`true` }),
    look: 'systemctl list-timers report.timer --no-legend | grep -c 04:05:00',
    shows: '1',
  },
  'a time that systemd does not accept': {
    steps: timer('report', { at: '*/5 * * * *', run: sh`true` }),
    fails: 'systemd does not accept the time "*/5 * * * *"',
    look: 'grep OnCalendar /etc/systemd/system/report.timer',
    shows: 'OnCalendar=04:05',
  },
  'no timer': {
    steps: timer.absent('report'),
    plan: ['remove timer report'],
    look: 'ls /etc/systemd/system | grep report; systemctl is-active report.timer; ls /var/lib/provision/removed/*/ | grep -c report',
    shows: 'inactive\n2',
  },
  'jobs of cron without cron': {
    steps: cron('report', [{ at: '@daily', run: sh`true` }]),
    fails: 'The host has no cron, so the jobs would never run',
    look: 'ls /etc/cron.d/report',
    shows: '',
  },
  'a job of cron that runs, with a percent sign and quotes': {
    steps: [
      pkg('cron'),
      service('cron'),
      cron('report', [{ at: '* * * * *', run: sh`printf '%s\n' ${"100% it's"} > /tmp/cron-report`, as: 'daemon' }], {
        env: { MAILTO: '' },
      }),
    ],
    look: 'for i in $(seq 130); do [ -e /tmp/cron-report ] && break; sleep 1; done; cat /tmp/cron-report; stat -c %U /tmp/cron-report',
    shows: "100% it's\ndaemon",
  },
  'no jobs': {
    steps: cron.absent('report'),
    plan: ['remove absent /etc/cron.d/report'],
    look: 'ls /etc/cron.d/report',
    shows: '',
  },
}
