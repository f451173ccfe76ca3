import { api, type Generator } from './api.ts'

/** Users and groups, their files, and a user whose primary group changes. */
export const accounts: Generator = (dice, site) => {
  const home = '/srv/kinds/home'
  const found = [
    ...dice.some(
      [
        'userdel kinds-app 2>/dev/null; groupdel kinds-app 2>/dev/null',
        'groupdel kinds-readers 2>/dev/null',
        'groupadd -f kinds-readers',
        'groupadd -f kinds-app',
        'id kinds-app || useradd --system --no-create-home --home-dir /nowhere kinds-app',
        `! id kinds-app || usermod --home ${home} kinds-app`,
        '! id kinds-app || usermod --gid www-data kinds-app',
        `mkdir -p ${home}; echo own > ${home}/file; chown -R kinds-app ${home}; chgrp -R www-data ${home}`,
        'groupadd -f -g 5005 kinds-five',
        'gpasswd -d kinds-app kinds-readers; gpasswd -d kinds-app kinds-five',
      ],
      0.4,
    ),
  ].join('\n')
  const group = dice.one('', 'www-data', 'kinds-own')
  const groups = dice.some(['kinds-readers', 'kinds-five'])
  return {
    found,
    steps: [
      ...[
        'kinds-readers',
        ...groups.slice(groups[0] === 'kinds-readers' ? 1 : 0),
        ...(group === 'kinds-own' ? [group] : []),
      ].map((name) => api.groupMember(name, { system: name !== 'kinds-five', ...site.options() })),
      api.user('kinds-app', {
        home: dice.one('/nonexistent', home, home),
        shell: dice.one('/usr/sbin/nologin', '/bin/sh'),
        groups,
        ...(group !== '' && { group }),
        ...site.options(),
      }),
      ...dice.some(
        [
          api.directory(home, { owner: 'kinds-app', group: dice.one('www-data', 'root'), ...site.options() }),
          api.file(`${home}/file`, 'own\n', { owner: 'kinds-app', group: 'www-data', ...site.options() }),
        ],
        0.7,
      ),
      ...(dice.maybe() ? [api.user('kinds-other', { groups: ['kinds-readers'], ...site.options() })] : []),
    ],
  }
}
