import { expect } from 'chai'
import { likelyCause } from '../../../src/engine/errors/hints.ts'

/** Messages of Debian programs, and the expected hint for each. */
const CASES: readonly (readonly [said: string, code: number, reported: string])[] = [
  [
    'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)',
    100,
    'unattended-upgr (pid 812) holds /var/lib/dpkg/lock-frontend. Wait until it has ended (ps -f -p 812 on the host).',
  ],
  [
    'tar: ./a: Cannot write: No space left on device',
    2,
    'the disk is full: no bytes or no inodes are free. Make room on the host: df -h and df -i tell where.',
  ],
  [
    "mkdir: cannot create directory '/var/lib/provision/transactions/1a': No space left on device\nsh: 4: cannot create /var/lib/provision/transactions/1a/old: No such file or directory",
    1,
    'the disk is full: no bytes or no inodes are free in /var/lib/provision/transactions. Make room on the host: df -h /var/lib/provision/transactions and df -i /var/lib/provision/transactions tell which.',
  ],
  [
    "base64: write error: No space left on device\ndd: error writing '/srv/d/.a b.provision-1': No space left on device",
    1,
    'the disk is full: no bytes or no inodes are free in /srv/d. Make room on the host: df -h /srv/d and df -i /srv/d tell which.',
  ],
  [
    'cannot write /motd: No space left on device',
    1,
    'the disk is full: no bytes or no inodes are free in /. Make room on the host: df -h / and df -i / tell which.',
  ],
  [
    'cp: error writing to a: Disk quota exceeded',
    1,
    'the quota of the disk is used up. Make room on the host, or raise the quota: repquota -a tells whose it is.',
  ],
  [
    'sh: 5: printf: printf: I/O error',
    1,
    'nothing more could be written: the disk is full, or it is failing. Make room on the host: df -h and df -i tell where; dmesg tells of errors of the disk.',
  ],
  [
    "mv: cannot move '/etc/.a.provision-1' to '/etc/a': Operation not permitted",
    1,
    'the file or its directory is immutable. See its attributes on the host (lsattr); chattr -i PATH makes it changeable.',
  ],
  [
    "mv: cannot move '/etc/.hosts.provision-1' to '/etc/hosts': Device or resource busy",
    1,
    'something is mounted there, as containers do with /etc/hosts and /etc/resolv.conf. See findmnt on the host. A mount point cannot be replaced: unmount it, or change the file that is mounted.',
  ],
  [
    "touch: cannot touch '/usr/a': Read-only file system",
    1,
    'the file system is mounted read-only, perhaps since its disk is failing. Look at the host: findmnt, and dmesg for errors of the disk.',
  ],
  [
    'E: Failed to fetch http://mirror.example.com/debian/pool/main/n/nginx/nginx_1.22.1-9_amd64.deb  404  Not Found [IP: 10.0.0.1 80]',
    100,
    'the package lists of the host are older than its mirror. Renew them: apt-get update.',
  ],
  [
    'E: Unable to locate package ngnix',
    100,
    'the package sources of the host have no package ngnix. Correct the name, or add a source that has it to /etc/apt/sources.list.d, in a step before this one.',
  ],
  [
    'Failed to restart ngnix.service: Unit ngnix.service not found.',
    5,
    'systemd has no unit ngnix.service. Correct the name, or put its package or unit file into a step before this one.',
  ],
  [
    'Failed to start nginx.service: Unit nginx.service is masked.',
    1,
    'nginx.service is masked. Allow it again: systemctl unmask nginx.service',
  ],
  [
    'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)',
    1,
    "another program listens at port 80. See which: ss -ltnp 'sport = :80'",
  ],
  [
    '[ALERT] (812) : Starting frontend site: cannot bind socket (Address already in use) for [0.0.0.0:443]',
    1,
    "another program listens at port 443. See which: ss -ltnp 'sport = :443'",
  ],
  ['Error: listen EADDRINUSE: Address already in use', 1, 'another program listens at that port. See which: ss -ltnp'],
  [
    'curl: (6) Could not resolve host: mirror.example.com',
    6,
    'the host finds no address for mirror.example.com. See /etc/resolv.conf there, and try: getent hosts mirror.example.com',
  ],
  [
    'ping: db1: Temporary failure in name resolution',
    2,
    'the host cannot resolve names. See /etc/resolv.conf there, and try: getent hosts NAME',
  ],
  [
    'curl: (60) SSL certificate problem: certificate has expired',
    60,
    'the other side shows a certificate that the host does not trust. See whether the clock of the host is right (timedatectl) and whether it has the authority (ca-certificates).',
  ],
  [
    'psql: error: connection to server at "10.0.0.1", port 5432 failed: Connection refused',
    2,
    'nothing listens where it wants to connect to. See whether that service is up: systemctl status, and ss -ltn for its port.',
  ],
  [
    'ssh: connect to host 10.9.9.9 port 22: No route to host',
    255,
    'the host does not get to where it wants to connect to. See its routes (ip route) and the firewalls on the way.',
  ],
  [
    'fork: Cannot allocate memory',
    254,
    'the host has too little memory. See who has it: free -m, and dmesg for what was killed.',
  ],
  [
    'Job for nginx.service failed because the control process exited with error code.',
    1,
    'nginx.service does not start. Its own words: journalctl -u nginx.service -n 50',
  ],
  [
    'bash: line 1: jq: command not found',
    127,
    'the host has no program jq. Install the package that has it in a step before this one.',
  ],
  [
    'sh: 1: jq: not found',
    127,
    'the host has no program jq. Install the package that has it in a step before this one.',
  ],
  [
    "cp: cannot create regular file '/etc/a': Permission denied",
    1,
    'the user that it runs as may not do that. Look at owner and mode of what it names; `as` says which user a command runs as.',
  ],
  [
    'cat: /etc/nothing: No such file or directory',
    1,
    'there is no /etc/nothing. Correct the path, or make it in a step before this one.',
  ],
  [
    "ls: cannot access '/etc/nothing': No such file or directory",
    2,
    'there is no /etc/nothing. Correct the path, or make it in a step before this one.',
  ],
  ['', 126, 'the program is there and may not be run. Look at its mode: it should be executable.'],
  ['', 127, 'a program that it needs is not there. Install it in a step before this one.'],
  ['', 137, 'it was killed, as the kernel does when memory runs out. See dmesg on the host for what was killed.'],
]

describe('the likely cause of a failed command', () => {
  for (const [said, code, expected] of CASES)
    it(`is found for ${said === '' ? `exit status ${code}` : `"${said}"`}`, () => {
      const cause = likelyCause(`working\n${said}`, code)
      expect(`${cause?.what}. ${cause?.next}`).to.equal(expected)
    })

  it('is undefined for unknown messages', () => {
    expect(likelyCause('it went wrong', 1)).to.equal(undefined)
  })
})
