/** Tasks of one kind in public Ansible repositories. */
export interface TaskRow {
  /** The modules, or the option of a module. */
  readonly what: string
  readonly tasks: number
  /** The number of them that steps of Provision express as they are. */
  readonly expressed: number
  /** The step, or the reason why there is none. */
  readonly how: string
}

/**
 * The resource tasks of 39 public repositories: 17,557 of 32,020 tasks, without flow control and commands. A module counts as expressed if a
 * kind has its state and the options that these tasks use. A task that uses several missing options is counted once, in the row `a task that
 * uses several of them`.
 */
export const TASKS: readonly TaskRow[] = [
  all(
    'modules whose tasks use no option that was missing',
    4470,
    '`file`, `service`, `sysctl`, `directory`, `link`, …',
  ),
  all(
    '`file`, `copy`, `lineinfile`, `apt`, `package`, `user` and the like, with common options',
    6088,
    'the step of the tables above',
  ),
  all('a task that is one line of shell in a step', 490, '`command` with a condition'),
  // The options that were missing, 1,474 tasks. Their numbers add up to 1,531, as a task may use two.
  all('… `owner` and `mode` of a path that is there', 195, '`attributes`'),
  all('… `recurse`', 167, '`attributes(path, { recursive: true })`'),
  all('… `state: latest`', 162, '`pkg.latest`, `packageUpgrades`'),
  all('… `state: absent` of packages', 147, '`pkg.absent`'),
  all('… `remote_src`', 93, '`copied`'),
  all('… `insertafter`, `insertbefore`', 130, '`line` with `after`, `before`, `first`'),
  all('… a home directory', 79, '`user` with `createHome`'),
  all('… `validate`', 78, '`transaction`'),
  all('… `state: touch`', 73, "`file(path, '', { once: true })`"),
  all('… `update_cache` alone', 69, 'not needed'),
  all('… `state: absent` of lines', 62, '`line.absent`'),
  all('… `backrefs`', 50, '`line` with a function'),
  all('… `comment`', 43, '`user`'),
  all('… a tree of files', 38, '`tree`'),
  all('… `deb`', 35, '`pkg.file`'),
  all('… `force: false`', 32, '`file` with `once`'),
  all('… `backup`', 29, '`file` with `backup`'),
  all('… `uid`', 15, '`user`'),
  none('… `generate_ssh_key`', 14, 'no kind; `command` with `creates`'),
  all('… `password`', 10, '`user`'),
  all('… a version', 10, '`pkg` with `version`'),
  { what: '… a task that uses several of them', tasks: -57, expressed: -57, how: 'counted once' },
  // Modules for which there was no kind, 2,952 tasks.
  all('`apt_repository`, `apt_key`, `deb822_repository`', 243, '`aptSource`'),
  all('`get_url`', 317, '`download`'),
  all('`unarchive`', 157, '`unpack`'),
  all('`git`', 190, '`git`'),
  all('`blockinfile`', 79, '`block`'),
  all('`replace`', 159, '`replace`'),
  all('`cron`', 168, '`timer`, `cron`'),
  all('`authorized_key`', 59, '`authorizedKeys`'),
  all('`synchronize`', 30, '`tree`'),
  all('`find`', 97, 'a question: `ask` with `read`'),
  all('`mount`', 114, '`mount`'),
  all('swap', 8, '`swap`'),
  all('`ini_file`', 42, '`setting`'),
  all('`pip`', 148, '`venv`'),
  all('`hostname`', 22, '`systemHostname`'),
  all('`timezone`', 5, '`timezone`'),
  all('`locale_gen`', 21, '`locale`'),
  all('`modprobe`', 42, '`kernelModule`'),
  all('`alternatives`', 45, '`alternatives`'),
  none('`acl`, `capabilities`', 45, '`acl`, which was not counted apart'),
  all('`known_hosts`', 23, '`knownHosts`'),
  all('`dpkg_divert`', 81, '`dpkgDivert`'),
  all('`wait_for`', 256, '`waitFor`'),
  none(
    'modules of databases, firewalls, containers and others, which were not counted one by one',
    601,
    'partly `firewall` and own kinds',
  ),
  none('other operating systems', 576, 'partly `pkg`, see [operating systems](#operating-systems)'),
  none('Windows', 394, 'no'),
  none('products, clouds and Kubernetes', 1113, 'no'),
]

function all(what: string, tasks: number, how: string): TaskRow {
  return { what, tasks, expressed: tasks, how }
}

function none(what: string, tasks: number, how: string): TaskRow {
  return { what, tasks, expressed: 0, how }
}

export const TOTAL = 17_557

/** The table in docs/from-ansible.md. */
export function taskTable(): string {
  const lines = TASKS.map(
    ({ what, tasks, expressed, how }) => `| ${what} | ${count(tasks)} | ${count(expressed)} | ${how} |`,
  )
  const sum = `| **all** | ${count(TOTAL)} | ${count(expressedTasks())} | ${share()} % |`
  return ['| tasks | number | expressed | by |', '| --- | --- | --- | --- |', ...lines, sum].join('\n')
}

export function expressedTasks(): number {
  return TASKS.reduce((sum, { expressed }) => sum + expressed, 0)
}

/** The share of the tasks in percent, rounded down to a tenth. */
export function share(): string {
  return (Math.floor((1000 * expressedTasks()) / TOTAL) / 10).toFixed(1)
}

function count(tasks: number): string {
  return tasks.toLocaleString('en-US')
}
