import { join } from 'node:path'

/** What a lab keeps: its hosts' disks, its key, its secrets. Gone after `lab down`. */
export const STATE = '/var/lib/provision/lab'
/** What any lab can use again: base images and packages. Never needed to be right, only to be fast. */
export const CACHE = '/var/cache/provision/lab'

export interface LabPaths {
  readonly directory: string
  readonly state: string
  readonly socket: string
  readonly log: string
  readonly key: string
  readonly knownHosts: string
  readonly sshConfig: string
  readonly secrets: string
}

export function labPaths(name: string): LabPaths {
  const directory = join(STATE, name)
  return {
    directory,
    state: join(directory, 'state.json'),
    socket: join(directory, 'control.sock'),
    log: join(directory, 'supervisor.log'),
    key: join(directory, 'key'),
    knownHosts: join(directory, 'known_hosts'),
    sshConfig: join(directory, 'ssh_config'),
    secrets: join(directory, 'secrets'),
  }
}

export interface HostPaths {
  readonly directory: string
  /** The file that holds the host's disk. */
  readonly image: string
  /** Where that disk is mounted: what the host changed, and a work directory. */
  readonly disk: string
  /** The host's root directory: its changes laid over the base image. */
  readonly root: string
  /** What it wrote to its console since it was made. */
  readonly console: string
}

export function hostPaths(lab: string, host: string): HostPaths {
  const directory = join(STATE, lab, 'hosts', host)
  return {
    directory,
    image: join(directory, 'disk.img'),
    disk: join(directory, 'disk'),
    root: join(directory, 'root'),
    console: join(directory, 'console.log'),
  }
}
