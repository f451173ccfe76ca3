import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Problem } from '../../model/problem.ts'
import { unified } from './cgroups.ts'
import { run, tryRun } from './run.ts'

/** The programs that a lab needs on this machine, and their packages. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  'ssh-keygen': 'openssh-client',
  'mkfs.ext4': 'e2fsprogs',
}

/** Checks that this machine can run a lab, and installs missing programs. */
export async function installRequirements(log: (line: string) => void): Promise<void> {
  checkMachine()
  makeRoomForWatches(log)
  const missing = await missingPackages()
  if (missing.length === 0) return
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Problem(`A lab needs ${missing.join(', ')} on this machine.`, {
      next: 'Install them, then: provision lab up',
    })
  }
  log(`installing on this machine: ${missing.join(' ')}`)
  await install(missing)
}

/** Checks that this machine runs Linux with cgroups, and that the user is root. */
export function checkMachine(): void {
  const vagrant = '`vagrant up`, then `provision --inventory inventory/vagrant.ts`'
  if (process.platform !== 'linux') {
    throw new Problem('A lab runs on Linux.', { next: `Here, use Vagrant: ${vagrant}` })
  }
  if (process.getuid?.() !== 0) {
    throw new Problem('A lab needs root on this machine.', {
      next: `sudo provision lab up. Or use Vagrant: ${vagrant}`,
    })
  }
  unified()
}

/**
 * Raises the limit of inotify instances. Each systemd uses a few, and all hosts of all labs share root's limit. The kernel's default of 128
 * is exhausted after about 25 hosts, and further ones hang during boot.
 */
function makeRoomForWatches(log: (line: string) => void): void {
  const limit = '/proc/sys/fs/inotify/max_user_instances'
  const now = Number(readFileSync(limit, 'utf8'))
  if (now >= INSTANCES) return
  log(`raising fs.inotify.max_user_instances of this machine from ${now} to ${INSTANCES}, until it boots again`)
  writeFileSync(limit, String(INSTANCES))
}

const INSTANCES = 1024

async function missingPackages(): Promise<readonly string[]> {
  const names = Object.keys(PROGRAMS)
  const script = 'for name; do command -v "$name" >/dev/null || echo "$name"; done'
  const { stdout } = await tryRun('sh', ['-c', script, 'sh', ...names])
  return stdout.split('\n').flatMap((name) => PROGRAMS[name] ?? [])
}

async function install(packages: readonly string[]): Promise<void> {
  const apt = (...args: readonly string[]) =>
    run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], { env: { DEBIAN_FRONTEND: 'noninteractive' } })
  const get = () => apt('install', '-y', '--no-install-recommends', ...packages)
  try {
    await get().catch(async () => {
      await apt('update') // A new machine has no package lists or old ones.
      await get()
    })
  } catch (cause) {
    throw new Problem(`Could not install ${packages.join(', ')} on this machine.`, {
      details: (cause instanceof Error ? cause.message : String(cause)).split('\n'),
      next: `apt-get update && apt-get install ${packages.join(' ')}`,
      cause,
    })
  }
}
