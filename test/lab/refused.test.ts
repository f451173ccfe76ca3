import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Act } from './private-acts.ts'

interface Case {
  readonly act: Act
  /** Prepares the machine as root. */
  readonly made?: string
  readonly as?: 'daemon'
  /** Skipped if this machine does not have the program. */
  readonly needs?: string
  readonly text: string
}

const VAGRANT = '`vagrant up`, then `provision --inventory inventory/vagrant.ts`'
const NO_MIRROR = `error: This machine's apt sources name no mirror of Debian.
   at /etc/apt/sources.list, /etc/apt/sources.list.d
   Name one: PROVISION_LAB_MIRROR=http://… provision lab up`
/** All programs that a lab needs exist except these; the inotify limit is high enough. */
const without = (...programs: readonly string[]) => `mkdir /mnt/upper /mnt/work
mount -t overlay -o lowerdir=/usr/bin,upperdir=/mnt/upper,workdir=/mnt/work overlay /usr/bin
for needed in systemd-nspawn mmdebstrap ip ssh-keygen mkfs.ext4; do
  command -v $needed > /mnt/path || install -m 755 /dev/null /usr/bin/$needed
done
rm ${programs.map((name) => `/usr/bin/${name}`).join(' ')}
echo 9999 > /mnt/watches; mount --bind /mnt/watches /proc/sys/fs/inotify/max_user_instances`

const CASES: Readonly<Record<string, Case>> = {
  'a machine with another system': {
    act: 'check as on another system',
    text: `error: A lab runs on Linux.
   Here, use Vagrant: ${VAGRANT}`,
  },
  'who is not root': {
    act: 'check',
    as: 'daemon',
    text: `error: A lab needs root on this machine.
   sudo provision lab up. Or use Vagrant: ${VAGRANT}`,
  },
  'a machine without cgroups of version 2': {
    act: 'check',
    made: 'umount -R /sys/fs/cgroup',
    text: `error: This machine has no cgroups version 2.
   Boot it with systemd.unified_cgroup_hierarchy=1, or mount one: mount -t cgroup2 none /sys/fs/cgroup/unified`,
  },
  'a machine that lacks programs and has no apt': {
    act: 'requirements',
    made: without('mmdebstrap', 'apt-get'),
    text: `error: A lab needs mmdebstrap on this machine.
   Install them, then: provision lab up`,
  },
  'a machine whose apt does not know what it lacks': {
    act: 'requirements',
    made: `${without('mmdebstrap')}
mkdir -p /var/lib/dpkg; touch /var/lib/dpkg/status`,
    text: `error: Could not install mmdebstrap on this machine.
   apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends mmdebstrap ended with 100: E: Unable to locate package mmdebstrap
   apt-get update && apt-get install mmdebstrap`,
  },
  'a machine whose apt has no mirror': { act: 'mirror', text: NO_MIRROR },
  'a machine that has nothing of apt': { act: 'mirror', made: 'rm -r /etc/apt/*', text: NO_MIRROR },
  'a mirror that has no such release': {
    act: 'base image',
    needs: 'mmdebstrap',
    text: `error: The base image could not be built.
   Err:3 http://127.0.0.1/debian bookworm Release
   Err:4 http://127.0.0.1/debian bookworm-updates Release
   E: The repository 'http://127.0.0.1/debian bookworm Release' does not have a Release file.
   E: The repository 'http://127.0.0.1/debian bookworm-updates Release' does not have a Release file.
   E: apt-get update --error-on=any -oAPT::Status-Fd=<$fd> -oDpkg::Use-Pty=false failed
   E: mmdebstrap failed to run
   Check that this machine reaches http://127.0.0.1/debian, then: provision lab up`,
  },
  'a host without a system on its disk': {
    act: 'switch a host on',
    needs: 'systemd-nspawn',
    made: 'for own in /run/netns /run/systemd/nspawn; do mkdir -p $own; mount -t tmpfs tmpfs $own; done',
    text: `error: "web1" did not stay up.
   --- switched on at TIME
   Directory /var/lib/provision/lab/mine/hosts/web1/root doesn't look like an OS root directory (os-release file is missing). Refusing.
   Its console output is in /var/lib/provision/lab/mine/hosts/web1/console.log. To try again: provision lab reset web1`,
  },
  'a machine whose cgroups cannot limit processor time': {
    act: 'limit processor time',
    text: `error: This machine cannot limit the CPU time of a host.
   Boot it with the cpu controller of cgroups enabled.`,
  },
  'a snapshot whose base image is gone': {
    act: 'restore a snapshot whose base is gone',
    text: `error: The base image of the snapshot "kept" does not exist.
   at /nowhere
   The snapshot cannot be used without it: provision lab delete-snapshot kept`,
  },
  'a snapshot of a lab that has lost a disk': {
    act: 'snapshot of a lab without a disk',
    text: `error: The snapshot "kept" could not be created.
   cp -a --reflink=auto --sparse=always -- /var/lib/provision/lab/mine/hosts/web1/disk.img /var/lib/provision/lab/mine/hosts/web1/ssh_host_key /var/lib/provision/lab/mine/hosts/web1/ssh_host_key.pub /var/lib/provision/lab-snapshots/kept.unfinished/lab/hosts/web1 ended with 1: cp: cannot stat '/var/lib/provision/lab/mine/hosts/web1/disk.img': No such file or directory
   cp: cannot stat '/var/lib/provision/lab/mine/hosts/web1/ssh_host_key': No such file or directory
   cp: cannot stat '/var/lib/provision/lab/mine/hosts/web1/ssh_host_key.pub': No such file or directory
   Check that this machine has enough disk space.`,
  },
  'a lab of another user': {
    act: 'open',
    made: 'mkdir -p /var/lib/provision/lab/mine; umask 077; echo {} > /var/lib/provision/lab/mine/state.json',
    as: 'daemon',
    text: `error: The lab "mine" belongs to another user.
   the same with sudo`,
  },
  'a call to the supervisor of another user': {
    act: 'call',
    made: `mkdir -p /var/lib/provision/lab/mine; cd /var/lib/provision/lab/mine; umask 077
${process.execPath} -e 'require("net").createServer().listen("control.sock", () => process.exit())'`,
    as: 'daemon',
    text: `error: Only root can do that to a lab.
   the same with sudo`,
  },
  'a command for a host that is off': {
    act: 'exec on a host that is off',
    text: `error: "web1" is off.
   provision lab start web1`,
  },
}

/** Runs a process on this machine without network, and with its own empty /var/lib, /var/cache and /etc/apt. */
describe('a lab rejects', function () {
  this.slow('5s')

  const inside = (script: string, ...words: readonly string[]) =>
    spawnSync('unshare', ['-mn', 'sh', '-ec', `${OWN}\n${script}`, 'sh', ...words], { encoding: 'utf8' })

  before(function () {
    if (process.getuid?.() !== 0 || inside(':').status !== 0) this.skip()
  })

  for (const [what, { act, made = ':', as, needs = 'true', text }] of Object.entries(CASES))
    it(what, function () {
      if (inside(`command -v ${needs}`).status !== 0) this.skip()
      const acts = join(import.meta.dirname, 'private-acts.ts')
      // Another user cannot write to our coverage directory.
      const alone = ['env', '-u', 'NODE_V8_COVERAGE']
      const become = as ? ['setpriv', `--reuid=${as}`, '--clear-groups'] : []
      const command = [...alone, ...become, process.execPath, '--import=tsx', '--conditions=source', acts, act]
      const { stdout, stderr } = inside(`${made}\ncd "$1"; shift; exec "$@"`, process.cwd(), ...command)
      const words = stdout.trimEnd().replace(/(?<=on at )\S+/, 'TIME')
      expect(words + stderr).to.equal(text)
    })
})

const OWN = `for own in /mnt /var/lib /var/cache /etc/apt; do mount -t tmpfs -o mode=755 tmpfs $own; done
for kept in apt.conf.d preferences.d sources.list.d trusted.gpg.d; do mkdir /etc/apt/$kept; done
: > /etc/apt/sources.list
unset PROVISION_LAB_MIRROR; ip link set lo up`
