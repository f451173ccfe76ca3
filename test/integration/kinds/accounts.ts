import { KEY, OTHER_KEY, secretHash } from '../../resources/account-rows.ts'
import type { Dice } from '../../support/dice.ts'
import { api, type Generator, type Site } from './api.ts'

/** A regular user with keys and a home. No one has the private keys. */
function regularUser(dice: Dice, site: Site) {
  const keys = [KEY, `no-pty ${OTHER_KEY}`]
  return [
    api.user('kinds-regular', {
      ...{ system: false, home: dice.one('/srv/kinds/people/one', '/srv/kinds/people/two') },
      ...{ comment: dice.one('A', 'B'), expires: dice.one('never', '2030-01-31') },
      password: dice.one<typeof secretHash | { readonly initial: typeof secretHash }>(secretHash, {
        initial: secretHash,
      }),
      locked: dice.maybe(),
      exclusive: dice.maybe(),
      ...site.options(),
    }),
    api.authorizedKeys('kinds-regular', dice.some(keys, 0.7), { exclusive: dice.maybe(), ...site.options() }),
  ]
}

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
        'userdel -r kinds-regular',
        'usermod -p other -aG adm kinds-regular; rm -rf /srv/kinds/people/one/.ssh',
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
      ...(dice.maybe(0.5) ? regularUser(dice, site) : []),
      ...[
        'kinds-readers',
        ...groups.slice(groups[0] === 'kinds-readers' ? 1 : 0),
        ...(group === 'kinds-own' ? [group] : []),
      ].map((name) => api.userGroup(name, { system: name !== 'kinds-five', ...site.options() })),
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
