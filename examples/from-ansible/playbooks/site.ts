import { play, playbook } from 'provision-ts'
import { accounts } from '../roles/accounts/index.ts'
import { nginx } from '../roles/nginx/index.ts'
import { postgresql } from '../roles/postgresql/index.ts'
import { servers } from './schema.ts'

/** One host with users, a virtual host and a database. */
export default playbook(servers, ({ domain, certificate, anaKeys, shopPassword, servers: all }) => [
  play('servers', { hosts: all, serial: 1 }, () => [
    accounts({
      groups: [{ name: 'operators', gid: 3000 }],
      users: [
        {
          name: 'ana',
          uid: 3001,
          comment: 'Ana Souza',
          groups: ['operators'],
          keys: anaKeys.split('\n'),
          profile: 'alias ll="ls -la"',
        },
        { name: 'ben', groups: ['operators'], keys: [] },
      ],
      deleted: ['carl'],
      sudoers: { operators: '%operators ALL=(root) NOPASSWD: /usr/bin/systemctl reload nginx' },
    }),
    nginx({
      vhosts: [{ serverName: domain, root: '/var/www/shop', certificate }],
      index: `<h1>${domain}</h1>\n`,
    }),
    postgresql({
      options: { max_connections: '60', log_min_duration_statement: '250ms' },
      users: [{ name: 'shop', password: shopPassword }],
      databases: [{ name: 'shop', owner: 'shop' }],
      backup: { at: '02:30', keepDays: 14 },
    }),
  ]),
])
