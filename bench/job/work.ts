import {
  type AbsolutePath,
  directory,
  file,
  line,
  link,
  pkg,
  role,
  service,
  template,
  user,
  userGroup,
} from 'provision-ts'

export interface Worker {
  readonly name: string
  readonly port: number
  readonly peers: readonly string[]
}

const conf = template<Worker>(import.meta, 'worker.conf.ejs')
const count = (n: number) => Array.from({ length: n }, (_, i) => i)
const place = (i: number, name: string): AbsolutePath => `/srv/job/d${i % 10}/${name}`

/** 4 packages, 1 group, 2 users, 10 directories, 20 templates, 13 files, 5 lines, 3 links, 2 services. */
export const work = role('work', ({ peers }: { readonly peers: readonly string[] }) => [
  pkg('cron', 'jq', 'memcached', 'tree'),
  userGroup('jobs'),
  user('worker', { groups: ['jobs'] }),
  user('sweeper', { groups: ['jobs'] }),
  count(10).map((i) => directory(`/srv/job/d${i}`, { owner: 'worker', mode: '0750' })),
  count(20).map((i) =>
    file(place(i, `t${i}.conf`), conf({ name: `w${i}`, port: 7000 + i, peers }), {
      owner: 'worker',
      mode: '0640',
    }),
  ),
  count(13).map((i) => file(place(i, `f${i}.txt`), `file ${i}\n${'all the same on each host\n'.repeat(10)}`)),
  line('/etc/login.defs', 'UMASK\t\t027', { match: /^UMASK\s/ }),
  line('/etc/login.defs', 'LOGIN_TIMEOUT\t\t30', { match: /^LOGIN_TIMEOUT\s/ }),
  line('/etc/adduser.conf', 'DIR_MODE=0750', { match: /^#?DIR_MODE=/ }),
  line('/etc/shells', '/usr/local/bin/job-shell'),
  line('/etc/profile', 'export JOB_ROOT=/srv/job'),
  link('/srv/job/current', { target: 'd0' }),
  link('/srv/job/next', { target: 'd1' }),
  link('/usr/local/bin/job-tree', { target: '/usr/bin/tree' }),
  service('cron'),
  service('memcached'),
])
