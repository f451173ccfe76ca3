import {
  type AbsolutePath,
  absent,
  directory,
  file,
  type KeyPair,
  pkg,
  reloaded,
  role,
  service,
  sh,
  template,
  transaction,
} from 'provision-ts'

interface Vhost {
  readonly serverName: string
  readonly root: AbsolutePath
  readonly certificate: KeyPair
}

interface NginxParams {
  readonly vhosts: readonly Vhost[]
  /** The first page of each virtual host; a page that is there stays. */
  readonly index: string
}

export interface NginxConf {
  readonly workers: number
}

export type VhostConf = Pick<Vhost, 'serverName' | 'root'>

const nginxConf = template<NginxConf>(import.meta, 'nginx.conf.ejs')
const vhostConf = template<VhostConf>(import.meta, 'vhost.conf.ejs')

/** The tasks of a role for virtual hosts, such as `geerlingguy.nginx`, with certificates. */
export const nginx = role(
  'nginx',
  ({ vhosts, index }: NginxParams, { facts }) => [
    // apt: update_cache=yes
    // apt: name=nginx
    pkg('nginx'),

    // file: path, state=directory
    directory('/etc/nginx/tls', { mode: '0700' }),
    vhosts.map(({ root }) => [
      directory(root),
      // copy: content, dest, force=no
      file(`${root}/index.html`, index, { once: true }),
    ]),

    // A handler `command: nginx -t` and a handler `service: state=reloaded` are options of the transaction: no file is in place unless nginx
    // accepts all of them, and all are rolled back if the reload fails.
    transaction(
      'nginx configuration',
      [
        // template: src=nginx.conf.j2, notify
        file('/etc/nginx/nginx.conf', nginxConf({ workers: facts.cpus }), { backup: true }),
        // file: path=sites-enabled/default, state=absent, notify
        absent('/etc/nginx/sites-enabled/default'),
        ...vhosts.flatMap(({ serverName, root, certificate }) => [
          // copy: content, dest, owner, mode, notify
          file(`/etc/nginx/tls/${serverName}.pem`, certificate.certificate),
          file(`/etc/nginx/tls/${serverName}.key`, certificate.key, { mode: '0600' }),
          // template: src=vhost.j2, loop, notify
          file(`/etc/nginx/sites-enabled/${serverName}.conf`, vhostConf({ serverName, root })),
        ]),
      ],
      { validate: sh`nginx -t -q`, activate: reloaded('nginx') },
    ),

    // service: name=nginx, state=started, enabled=yes
    service('nginx'),
  ],
  { os: ['debian 12', 'debian 13'] },
)
