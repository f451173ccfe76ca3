import type { Explanation } from '../../model/resource/command.ts'
import { explainAptError } from '../../resources/packages/apt-errors.ts'

/** Returns the likely cause of a failed command, from the end of its output and its exit status. */
export function likelyCause(said: string, code: number): Explanation | undefined {
  for (const [pattern, explain] of CAUSES) {
    const found = pattern.exec(said)
    if (found) return explain(...found.slice(1).map((part) => part ?? ''))
  }
  return explainAptError(said) ?? STATUSES.get(code)
}

type Cause = readonly [RegExp, (first?: string, second?: string, third?: string) => Explanation]

/** More specific patterns come first. */
const CAUSES: readonly Cause[] = [
  [
    /Could not get lock (\S+?)\.? It is held by process (\d+) \((.*?)\)/,
    (lock, pid, program) => ({
      what: `${program} (pid ${pid}) holds ${lock}`,
      next: `Wait until it has ended (ps -f -p ${pid} on the host).`,
    }),
  ],
  [
    /(?:^|[\s'"‘])((?:\/[^\n/:'"’]+)*)\/[^\n/:'"’]+['"’]?: [^\n/]*No space left on device/m,
    (directory) => ({
      what: `the disk is full: no bytes or no inodes are free in ${directory || '/'}`,
      next: `Make room on the host: df -h ${directory || '/'} and df -i ${directory || '/'} tell which.`,
    }),
  ],
  [
    /No space left on device/,
    () => ({
      what: 'the disk is full: no bytes or no inodes are free',
      next: 'Make room on the host: df -h and df -i tell where.',
    }),
  ],
  [
    /Disk quota exceeded/,
    () => ({
      what: 'the quota of the disk is used up',
      next: 'Make room on the host, or raise the quota: repquota -a tells whose it is.',
    }),
  ],
  [
    // The printf of dash does not say why it could not write.
    /(?:printf|echo): I\/O error/,
    () => ({
      what: 'nothing more could be written: the disk is full, or it is failing',
      next: 'Make room on the host: df -h and df -i tell where; dmesg tells of errors of the disk.',
    }),
  ],
  [
    /Read-only file system/,
    () => ({
      what: 'the file system is mounted read-only, perhaps since its disk is failing',
      next: 'Look at the host: findmnt, and dmesg for errors of the disk.',
    }),
  ],
  [
    /(?:cannot (?:move|remove|unlink|create)|changing (?:permissions|ownership)) [^\n]*Operation not permitted/,
    () => ({
      what: 'the file or its directory is immutable',
      next: 'See its attributes on the host (lsattr); chattr -i PATH makes it changeable.',
    }),
  ],
  [
    /Device or resource busy/,
    () => ({
      what: 'something is mounted there, as containers do with /etc/hosts and /etc/resolv.conf',
      next: 'See findmnt on the host. A mount point cannot be replaced: unmount it, or change the file that is mounted.',
    }),
  ],
  [
    /(?:E: Failed to fetch|Err:\d+) .*\s404\s+Not Found/,
    () => ({ what: 'the package lists of the host are older than its mirror', next: 'Renew them: apt-get update.' }),
  ],
  [
    /Unit (\S+?)\.? (?:not found|could not be found|not loaded|does not exist)/,
    (unit) => ({
      what: `systemd has no unit ${unit}`,
      next: 'Correct the name, or put its package or unit file into a step before this one.',
    }),
  ],
  [/Unit (\S+) is masked/, (unit) => ({ what: `${unit} is masked`, next: `Allow it again: systemctl unmask ${unit}` })],
  [
    /(?:[:\s](\d{2,5})\b[^\n]*)?Address already in use(?:\)? for \[.*:(\d+)\])?/,
    (before, after) => {
      const port = before || after
      return {
        what: port ? `another program listens at port ${port}` : 'another program listens at that port',
        next: `See which: ss -ltnp${port ? ` 'sport = :${port}'` : ''}`,
      }
    },
  ],
  [
    /Could not resolve host:? ?(\S+)|Temporary failure in name resolution|Name or service not known/,
    (name) => ({
      what: name ? `the host finds no address for ${name}` : 'the host cannot resolve names',
      next: `See /etc/resolv.conf there, and try: getent hosts ${name || 'NAME'}`,
    }),
  ],
  [
    /certificate has expired|certificate is not yet valid|certificate verify failed|SSL certificate problem/i,
    () => ({
      what: 'the other side shows a certificate that the host does not trust',
      next: 'See whether the clock of the host is right (timedatectl) and whether it has the authority (ca-certificates).',
    }),
  ],
  [
    /Connection refused/,
    () => ({
      what: 'nothing listens where it wants to connect to',
      next: 'See whether that service is up: systemctl status, and ss -ltn for its port.',
    }),
  ],
  [
    /Network is unreachable|No route to host|Connection timed out|Operation timed out/,
    () => ({
      what: 'the host does not get to where it wants to connect to',
      next: 'See its routes (ip route) and the firewalls on the way.',
    }),
  ],
  [
    /Cannot allocate memory|Out of memory|oom-kill/i,
    () => ({ what: 'the host has too little memory', next: 'See who has it: free -m, and dmesg for what was killed.' }),
  ],
  [
    /Job for (\S+) failed|Failed to start (\S+?)[.:]/,
    (unit, other) => ({
      what: `${unit || other} does not start`,
      next: `Its own words: journalctl -u ${unit || other} -n 50`,
    }),
  ],
  [
    /(?:^|[\s:])([\w./+-]+): (?:command )?not found$/m,
    (name) => ({
      what: `the host has no program ${name}`,
      next: 'Install the package that has it in a step before this one.',
    }),
  ],
  [
    /Permission denied|Operation not permitted|must be root|are you root\?/i,
    () => ({
      what: 'the user that it runs as may not do that',
      next: 'Look at owner and mode of what it names; `as` says which user a command runs as.',
    }),
  ],
  [
    /([^\s:'"‘]+)['"’]?: No such file or directory/,
    (path) => ({ what: `there is no ${path}`, next: 'Correct the path, or make it in a step before this one.' }),
  ],
]

/** Causes by exit status alone, for output that matches no pattern. */
const STATUSES: ReadonlyMap<number, Explanation> = new Map([
  [126, { what: 'the program is there and may not be run', next: 'Look at its mode: it should be executable.' }],
  [127, { what: 'a program that it needs is not there', next: 'Install it in a step before this one.' }],
  [
    137,
    {
      what: 'it was killed, as the kernel does when memory runs out',
      next: 'See dmesg on the host for what was killed.',
    },
  ],
])
