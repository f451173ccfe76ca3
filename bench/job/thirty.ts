import {
  type AbsolutePath,
  absent,
  type Build,
  command,
  directory,
  file,
  firewall,
  type LocalFile,
  line,
  link,
  markReleaseCurrent,
  pkg,
  pruneReleases,
  release,
  type Steps,
  service,
  sh,
  sysctl,
  user,
  userGroup,
} from 'provision-ts'

export interface Thirty {
  readonly built: Build
  /** At least 8 MiB: large files are compared in another way. */
  readonly large: LocalFile
}

const count = (n: number) => Array.from({ length: n }, (_, i) => i)
const ROOT: AbsolutePath = '/srv/thirty'

/** 30 steps of almost every kind. */
export function thirty({ built, large }: Thirty): Steps {
  return [
    pkg('cron', 'jq'),
    userGroup('jobs'),
    user('worker', { groups: ['jobs'] }),
    count(2).map((i) => directory(`${ROOT}/d${i}`, { owner: 'worker', mode: '0750' })),
    count(6).map((i) => file(`${ROOT}/d${i % 2}/f${i}.conf`, `file ${i}\n${'a line\n'.repeat(20)}`)),
    file(`${ROOT}/large`, large),
    line('/etc/shells', '/usr/bin/thirty'),
    line('/etc/adduser.conf', 'DIR_MODE=0750', { match: /^#?DIR_MODE=/ }),
    link('/usr/local/bin/thirty', { target: '/usr/bin/jq' }),
    absent('/etc/cron.d/thirty'),
    command('a mark', sh`: > ${`${ROOT}/mark`}`, { creates: `${ROOT}/mark` }),
    command('another mark', sh`: > ${`${ROOT}/other`}`, { unless: sh`[ -e ${`${ROOT}/other`} ]` }),
    command('a mark of the worker', sh`: > ${`${ROOT}/d0/own`}`, {
      as: 'worker',
      unless: sh`[ -e ${`${ROOT}/d0/own`} ]`,
    }),
    sysctl('thirty', { 'net.ipv4.ip_nonlocal_bind': 1, 'net.ipv4.tcp_fin_timeout': 30 }),
    release(`${ROOT}/releases/${built.id}`, built),
    pruneReleases(ROOT, { wanted: built.id }),
    link(`${ROOT}/current`, { target: `releases/${built.id}` }),
    markReleaseCurrent(ROOT, built.id),
    service('cron'),
    firewall([{ port: 8080, from: 'anywhere' }]),
  ]
}
