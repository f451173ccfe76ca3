import { api, type Generator } from './api.ts'

/** The host's name, time zone, locale, alternatives and mounts, after changes of an administrator. */
export const host: Generator = (dice, site) => ({
  needs: [
    '[ -e /usr/share/zoneinfo/Etc/UTC ] || { mkdir -p /usr/share/zoneinfo/Etc; : > /usr/share/zoneinfo/Etc/UTC; : > /usr/share/zoneinfo/Etc/GMT; }',
    '[ -e /etc/alternatives/kinds ] || update-alternatives --quiet --install /usr/bin/kinds kinds /bin/true 10',
  ].join('\n'),
  found: dice
    .some(
      [
        'ln -sfn /usr/share/zoneinfo/Etc/GMT /etc/localtime',
        'echo LANG=C > /etc/default/locale',
        "sed -i '/^127.0.1.1/d' /etc/hosts",
        'update-alternatives --quiet --set kinds /bin/true',
        'mkdir -p /srv/kinds-mount; mountpoint -q /srv/kinds-mount || mount -t tmpfs tmpfs /srv/kinds-mount',
        'umount /srv/kinds-mount',
        "sed -i '/kinds-mount/d' /etc/fstab",
        'dpkg-divert --quiet --remove --rename /srv/kinds-diverted',
        'echo theirs > /srv/kinds-diverted',
      ],
      0.4,
    )
    .join('\n'),
  steps: [
    api.timezone(dice.one('Etc/UTC', 'Etc/GMT'), site.options()),
    api.locale(dice.one('C.UTF-8', 'C'), site.options()),
    api.systemHostname('web1', { ...(dice.maybe() && { domain: 'example.com' }), ...site.options() }),
    dice.maybe()
      ? api.alternatives('kinds', '/bin/false', { link: '/usr/bin/kinds', priority: 5, ...site.options() })
      : api.alternatives('kinds', 'auto', site.options()),
    dice.maybe(0.7)
      ? api.mount('/srv/kinds-mount', {
          ...{ source: 'tmpfs', type: 'tmpfs', options: dice.one(['noexec'], ['size=1M', 'nosuid']) },
          ...site.options(),
        })
      : api.mount.absent('/srv/kinds-mount', site.options()),
    api.dpkgDivert('/srv/kinds-diverted', site.options()),
    api.waitFor({ path: '/srv' }, site.options()),
  ],
})
