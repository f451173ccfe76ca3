import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { inGroup } from '../base/cgroups.ts'
import { searchPath } from '../base/run.ts'

export interface Machine {
  readonly name: string
  readonly root: string
  /** The path of its network namespace. */
  readonly network: string
  /** The file of its console output. */
  readonly console: string
  readonly group: string
}

/** The exit status of a host that reboots; 0 after a power-off. */
export const REBOOT = 133

/** SIGRTMIN+4: systemd powers off. */
export const POWER_OFF = 38

/** Boots a host inside a cgroup. The process ends with the host; its child is the host's init process. */
export function boot(machine: Machine): ChildProcess {
  const [command = '', ...args] = inGroup(machine.group, nspawnCommand(machine))
  const screen = openSync(machine.console, 'a', 0o600)
  try {
    writeSync(screen, `\n--- switched on at ${new Date().toISOString()}\n`)
    return spawn(command, args, {
      detached: true,
      stdio: ['ignore', screen, screen],
      env: { PATH: searchPath(), ...ENVIRONMENT },
    })
  } finally {
    closeSync(screen)
  }
}

function nspawnCommand({ name, root, network }: Machine): readonly string[] {
  return [
    'systemd-nspawn',
    '--quiet',
    '--boot',
    `--directory=${root}`,
    `--machine=${name}`,
    `--network-namespace-path=${network}`,
    '--register=no', // works without systemd on this machine
    '--keep-unit',
    '--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE', // for `ip addr add`, nft and keepalived
    '--console=read-only', // with `pipe` there is no /dev/console, and nothing in the boot log
    '--resolv-conf=off',
    '--timezone=off',
    '--rlimit=NOFILE=1024:524288', // the kernel's default and not that of the user's shell
    '--link-journal=no',
    'systemd.show_status=yes',
  ]
}

const ENVIRONMENT: Readonly<Record<string, string>> = {
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network', // otherwise net.* sysctls are read-only
  SYSTEMD_NSPAWN_TMPFS_TMP: '0', // /tmp as in the release, not always a tmpfs
}

/** Runs a command as root inside a host, by way of its PID 1's namespaces, with a clean environment. */
export function nsenterCommand(leader: number, command: readonly string[]): readonly string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup']
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'LANG=C.UTF-8',
  ]
  return ['nsenter', '--target', String(leader), ...namespaces, '--', 'env', '-i', ...environment, ...command]
}
