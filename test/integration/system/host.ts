import {
  acl,
  alternatives,
  dpkgDivert,
  file,
  firewall,
  http,
  kernelModule,
  locale,
  mount,
  pkg,
  probe,
  sh,
  swap,
  systemHostname,
  timezone,
  waitFor,
} from '../../../src/index.ts'
import type { Cases } from './case.ts'

const MOUNTS = "findmnt -n -o TARGET,FSTYPE,VFS-OPTIONS /srv/scratch | tr -s ' '; grep -c scratch /etc/fstab"

/** Answers each request on port 8099. */
const SERVER =
  '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:8099", Listen => 5, ReuseAddr => 1); while ($c = $s->accept) { do { $l = <$c> } while defined $l && $l =~ /\\S/; print $c "HTTP/1.0 200 OK\\r\\n\\r\\n"; close $c }'

export const HOST: Cases = {
  'a firewall with UDP, a range, IPv6 and a rate': {
    prepare: 'apt-get -qq -y install nftables >/dev/null 2>&1',
    steps: firewall([
      { port: [53, '6000-6010'], protocol: 'udp', from: [{ address: '10.0.0.0/8' }, { address: 'fd00::/8' }] },
      { port: ['8000-8100', 80], from: 'anywhere' },
      { port: 2222, from: 'anywhere', rate: '10/minute' },
    ]),
    look: "nft list chain inet provision input | grep -E '6000|8000|2222' | sed 's/ burst 5 packets//; s/^[[:space:]]*//'; nft delete table inet provision",
    shows:
      'ip saddr 10.0.0.0/8 udp dport { 53, 6000-6010 } accept\nip6 saddr fd00::/8 udp dport { 53, 6000-6010 } accept\ntcp dport { 80, 8000-8100 } accept\ntcp dport 2222 ct state new limit rate 10/minute accept',
  },
  'a firewall that lists the outgoing traffic': {
    prepare:
      'ip netns del far 2>/dev/null; ip netns add far; ip link add near type veth peer name there netns far; ip addr add 203.0.113.1/24 dev near; ip link set near up; ip -n far addr add 203.0.113.2/24 dev there; ip -n far link set there up; ip -n far link set lo up; for port in 8091 8092; do ip netns exec far setsid perl -MIO::Socket::INET -e \'$s = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1); close $c while $c = $s->accept\' $port >/dev/null 2>&1 & done; for port in 8091 8092; do until ip netns exec far ss -Hltn "sport = :$port" | grep -q .; do sleep 0.1; done; done',
    steps: firewall([], { outgoing: [{ port: 8091, to: [{ address: '203.0.113.0/24' }] }] }),
    look: `for port in 8091 8092; do perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "203.0.113.2:$ARGV[0]", Timeout => 10) ? "open " : "closed "' $port; done; ping -c 1 -W 5 203.0.113.2 >/dev/null && echo reached; ip netns pids far | xargs -r kill; ip netns del far; nft delete table inet provision`,
    shows: 'open closed reached',
  },
  'a time zone': {
    prepare: 'echo Etc/UTC > /etc/timezone',
    steps: [pkg('tzdata'), timezone('Europe/Berlin')],
    look: 'readlink /etc/localtime; cat /etc/timezone; date +%Z -d 2026-01-01',
    shows: '/usr/share/zoneinfo/Europe/Berlin\nEurope/Berlin\nCET',
  },
  'a time zone that does not exist': {
    steps: timezone('Europe/Atlantis'),
    fails: 'The host does not know the time zone Europe/Atlantis',
    look: 'readlink /etc/localtime',
    shows: '/usr/share/zoneinfo/Europe/Berlin',
  },
  'a locale without the package that generates it': {
    steps: locale('de_DE.UTF-8'),
    fails: 'The host cannot generate locales',
  },
  'locales, under both of their spellings': {
    steps: [pkg('locales'), locale('de_DE.UTF-8', { also: ['pt_BR.UTF-8'] })],
    look: "locale -a | grep -E 'de_|pt_'; grep -h ^LANG /etc/default/locale; grep -v -e ^# -e ^$ /etc/locale.gen",
    shows: 'de_DE.utf8\npt_BR.utf8\nLANG=de_DE.UTF-8\nde_DE.UTF-8 UTF-8\npt_BR.UTF-8 UTF-8',
  },
  'a locale that the C library does not have': {
    steps: locale('xx_XX.UTF-8'),
    fails: 'locale xx_XX.UTF-8 failed',
  },
  'the locale of the C library': {
    steps: locale('C.UTF-8'),
    plan: ['change locale C.UTF-8'],
    look: 'grep -h ^LANG /etc/default/locale',
    shows: 'LANG=C.UTF-8',
  },
  'a name, with its line in /etc/hosts': {
    steps: systemHostname('shop1', { domain: 'example.com' }),
    plan: ['change hostname shop1'],
    look: "hostname; cat /etc/hostname; grep '^127.0' /etc/hosts; hostname --fqdn",
    shows: /^shop1\nshop1\n127\.0\.0\.1\s+localhost.*\n127\.0\.1\.1 shop1\.example\.com shop1\nshop1\.example\.com$/,
  },
  'a name that cloud-init must not undo': {
    prepare: 'mkdir -p /etc/cloud/cloud.cfg.d',
    steps: systemHostname('shop2'),
    look: "cat /etc/cloud/cloud.cfg.d/99-provision-hostname.cfg; grep '^127.0.1' /etc/hosts",
    shows: 'preserve_hostname: true\nmanage_etc_hosts: false\n127.0.1.1 shop2',
  },
  'a name that the user data of cloud-init undoes': {
    prepare:
      "mkdir -p /var/lib/cloud/instance; echo 'preserve_hostname: false' > /var/lib/cloud/instance/user-data.txt",
    steps: systemHostname('shop3'),
    fails: 'The user data of cloud-init would undo the name at the next boot',
    look: 'hostname; rm -rf /var/lib/cloud /etc/cloud',
    shows: 'shop2',
  },
  'an alternative that is registered': {
    prepare:
      'printf "#!/bin/sh\\necho mine\\n" > /usr/local/bin/mine; chmod +x /usr/local/bin/mine; update-alternatives --quiet --install /usr/bin/thing thing /bin/true 90',
    steps: alternatives('thing', '/usr/local/bin/mine', { link: '/usr/bin/thing', priority: 10 }),
    plan: ['change alternatives thing'],
    look: 'thing; update-alternatives --query thing | grep Status',
    shows: 'mine\nStatus: manual',
  },
  'the alternative of the highest priority': {
    steps: alternatives('thing', 'auto'),
    plan: ['change alternatives thing'],
    look: 'readlink /etc/alternatives/thing; update-alternatives --query thing | grep Status',
    shows: '/bin/true\nStatus: auto',
  },
  'a path that is not an alternative': {
    steps: alternatives('thing', '/bin/false'),
    fails: '/bin/false is not an alternative of thing',
  },
  'a file system, mounted and kept': {
    prepare: "printf '# by hand\\n' >> /etc/fstab",
    steps: mount('/srv/scratch', { source: 'tmpfs', type: 'tmpfs', options: ['size=1M', 'nosuid', 'nodev'] }),
    plan: ['create mount /srv/scratch'],
    look: MOUNTS,
    shows: '/srv/scratch tmpfs rw,nosuid,nodev,relatime\n1',
  },
  'other options, by a remount that keeps the files': {
    prepare: 'touch /srv/scratch/kept',
    steps: mount('/srv/scratch', { source: 'tmpfs', type: 'tmpfs', options: ['size=1M', 'noexec', 'nosuid'] }),
    plan: ['change mount /srv/scratch'],
    look: `${MOUNTS}; ls /srv/scratch; grep -c 'by hand' /etc/fstab`,
    shows: '/srv/scratch tmpfs rw,nosuid,noexec,relatime\n1\nkept\n1',
  },
  'options that an administrator has changed': {
    prepare: 'mount -o remount,exec,suid /srv/scratch',
    steps: mount('/srv/scratch', { source: 'tmpfs', type: 'tmpfs', options: ['size=1M', 'noexec', 'nosuid'] }),
    plan: ['change mount /srv/scratch'],
    look: MOUNTS,
    shows: '/srv/scratch tmpfs rw,nosuid,noexec,relatime\n1',
  },
  'a file system that cannot be mounted, which does not stay in fstab': {
    steps: mount('/srv/missing', { source: 'UUID=00000000-0000-0000-0000-000000000000', type: 'ext4' }),
    fails: 'mount /srv/missing failed',
    look: 'grep -c missing /etc/fstab; ls -A /run/provision.fstab',
    shows: '0',
  },
  'a bind mount with a space in its path, which is mounted once': {
    prepare: "mkdir -p '/srv/a b'; touch '/srv/a b/file'",
    steps: mount('/srv/c d', { source: '/srv/a b', type: 'none', options: ['bind'] }),
    plan: ['create mount /srv/c d'],
    look: "ls '/srv/c d'; grep -c 'c\\\\040d' /proc/self/mountinfo; grep -c 'a\\\\040b /srv/c\\\\040d none bind' /etc/fstab",
    shows: 'file\n1\n1',
  },
  'no bind mount': {
    steps: mount.absent('/srv/c d'),
    plan: ['remove mount /srv/c d'],
    look: "ls '/srv/c d' | wc -l; grep -c 040 /etc/fstab",
    shows: '0\n0',
  },
  'a file system in use, which is not unmounted': {
    prepare: 'setsid sh -c "cd /srv/scratch && exec sleep 300" >/dev/null 2>&1 & sleep 0.3',
    steps: mount.absent('/srv/scratch'),
    fails: 'mount /srv/scratch failed: programs use the file system',
    look: 'grep -c scratch /etc/fstab; pkill -f "^sleep 300"; umount /srv/scratch',
    shows: '1',
  },
  'rights of further users, which the next files inherit': {
    prepare: "mkdir -p '/srv/a c'; chmod 750 '/srv/a c'; useradd --system reader; groupadd --system readers",
    steps: [
      pkg('acl'),
      acl('/srv/a c', { 'user:reader': 'rx', 'default:user:reader': 'r', 'group:readers': 'wx' }),
      acl('/etc/motd', { 'user:reader': 'rw' }),
    ],
    plan: ['install package acl', 'change acl /srv/a c', 'change acl /etc/motd'],
    look: "touch '/srv/a c/new'; cd '/srv/a c'; getfacl -c . | grep -E 'reader|mask'; getfacl -c new | grep reader; stat -c %a .",
    shows:
      'user:reader:r-x\ngroup:readers:-wx\nmask::rwx\ndefault:user:reader:r--\ndefault:mask::r-x\nuser:reader:r--\n770',
  },
  'rights that a mode has limited, and an exclusive list': {
    prepare: "chmod 700 '/srv/a c'",
    steps: acl('/srv/a c', { 'user:reader': 'rx' }, { exclusive: true }),
    plan: ['change acl /srv/a c'],
    look: "getfacl -c -E '/srv/a c' | grep -E 'reader|mask'",
    shows: 'user:reader:r-x\nmask::r-x\ndefault:mask::r-x',
  },
  'rights of a user that does not exist': {
    steps: acl('/srv/a c', { 'user:unknown': 'rx' }),
    fails: 'acl /srv/a c failed: the host does not have one of the users or groups',
  },
  'a file of a package that is diverted, which the package does not replace': {
    steps: [dpkgDivert('/usr/bin/setfacl'), file('/usr/bin/setfacl', 'own\n', { mode: '0755' })],
    plan: ['create diversion /usr/bin/setfacl', 'create file /usr/bin/setfacl'],
    look: 'apt-get -qq -y install --reinstall acl >/dev/null 2>&1; cat /usr/bin/setfacl; dpkg-divert --truename /usr/bin/setfacl; /usr/bin/setfacl.distrib --version | cut -d " " -f 1',
    shows: 'own\n/usr/bin/setfacl.distrib\nsetfacl.distrib',
  },
  'another path for the file of the package': {
    steps: dpkgDivert('/usr/bin/setfacl', { to: '/usr/bin/setfacl.old' }),
    plan: ['change diversion /usr/bin/setfacl'],
    look: 'cat /usr/bin/setfacl; ls /usr/bin/setfacl*',
    shows: 'own\n/usr/bin/setfacl\n/usr/bin/setfacl.old',
  },
  'no diversion, and the own file moved away': {
    steps: dpkgDivert.absent('/usr/bin/setfacl'),
    plan: ['remove diversion /usr/bin/setfacl'],
    look: 'setfacl --version | cut -d " " -f 1; cat /var/lib/provision/removed/*/setfacl',
    shows: 'setfacl\nown',
  },
  'a swap in a container': {
    steps: swap('/swapfile', { size: '16M' }),
    fails: 'swap /swapfile: The host is a container, so /swapfile cannot be its swap',
    look: 'ls /swapfile; grep -c swap /etc/fstab',
    shows: '0',
  },
  'a module of the kernel that a container cannot load': {
    steps: kernelModule('no-such-module'),
    fails: 'The host is a container, so the module no_such_module cannot be loaded',
  },
  'a port, a path and a condition that become true': {
    prepare: `rm -f /run/awaited; setsid sh -c 'sleep 2; touch /run/awaited; exec perl -MIO::Socket::INET -e "$0"' '${SERVER}' >/dev/null 2>&1 &`,
    steps: [
      waitFor({ path: '/run/awaited', timeout: '2m' }),
      waitFor({ port: 8099, timeout: '2m' }),
      waitFor(http('http://127.0.0.1:8099/', { timeout: '2m' })),
      waitFor(probe('it is there', sh`[ -e /run/awaited ]`)),
    ],
  },
  'a port that stays closed': {
    steps: waitFor({ port: 8098, timeout: '1s' }),
    fails: 'wait port 127.0.0.1:8098 failed',
  },
}
