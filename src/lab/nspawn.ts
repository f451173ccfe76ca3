export interface Machine {
  readonly name: string
  readonly root: string
  /** The path of the network namespace that it boots in. */
  readonly network: string
}

/** The command that boots a host. It ends with 133 when the host wants to start again, with 0 when it powered itself off. */
export function nspawnCommand({ name, root, network }: Machine): readonly string[] {
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
    '--link-journal=no',
    'systemd.show_status=yes',
  ]
}

export const nspawnEnvironment: Readonly<Record<string, string>> = {
  SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network', // else net.* sysctls are read-only
  SYSTEMD_NSPAWN_TMPFS_TMP: '0', // /tmp on the disk, as on a Debian server
}

export const REBOOT = 133

/** SIGRTMIN+4, by which a systemd is told to power off. */
export const POWER_OFF = 38
