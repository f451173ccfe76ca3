import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { searchPath } from '../run.ts'
import { inGroup } from './cgroups.ts'

export interface Machine {
  readonly name: string
  readonly root: string
  /** The path of the network namespace that it boots in. */
  readonly network: string
  /** The file for what it writes to its console. */
  readonly console: string
  readonly group: string
}

/** The exit status of a host that wants to start again; that of one that powered itself off is 0. */
export const REBOOT = 133

/** SIGRTMIN+4, by which a systemd is told to power off. */
export const POWER_OFF = 38

/** Boots a host inside a group of processes. It ends when the host does; its own child is the host's PID 1. */
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
    '--register=no', // needs no systemd on this machine
    '--keep-unit',
    '--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE', // else no `ip addr add`, nft or keepalived
    '--console=read-only', // with `pipe` there is no /dev/console, and nothing in the boot log
    '--resolv-conf=off',
    '--timezone=off',
    '--rlimit=NOFILE=1024:524288', // as a kernel gives them; not those of the shell that `lab up` was typed in
    '--link-journal=no',
    'systemd.show_status=yes',
  ]
}

const ENVIRONMENT: Readonly<Record<string, string>> = {
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network', // else net.* sysctls are read-only
  SYSTEMD_NSPAWN_TMPFS_TMP: '0', // /tmp is as the release has it, not always a tmpfs
}
