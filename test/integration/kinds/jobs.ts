import { api, type Generator } from './api.ts'

/** Timers, and files of cron; the host gets an empty program in the place of cron. */
export const jobs: Generator = (dice, site) => ({
  needs: '[ -e /usr/sbin/cron ] || install -m 755 /bin/true /usr/sbin/cron',
  found: dice.one(
    ':',
    'systemctl stop kinds-timer.timer',
    'systemctl mask kinds-masked.service',
    'rm -f /etc/systemd/system/kinds-timer.timer',
    'echo "# by hand" >> /etc/systemd/system/kinds-timer.timer',
    'echo "# by hand" >> /etc/cron.d/kinds-job',
  ),
  steps: [
    ...(dice.maybe(0.8)
      ? [
          api.timer('kinds-timer', {
            ...{ at: dice.one<string | readonly string[]>('daily', ['Mon 02:30', '*:0/15']), run: api.sh`true` },
            ...{ randomDelay: dice.one('5m', '10m'), ...site.options() },
          }),
        ]
      : [api.timer.absent('kinds-timer', site.options())]),
    ...(dice.maybe(0.8)
      ? [api.cron('kinds-job', [{ at: dice.one('@daily', '15 3 * * *'), run: api.sh`true` }], site.options())]
      : [api.cron.absent('kinds-job', site.options())]),
    api.service('kinds-masked', { masked: true, ...site.options() }),
  ],
})
