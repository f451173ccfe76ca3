import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import { didYouMean } from '../../shell/nearest.ts'

/** The directories of labs: disks, keys, secrets. Deleted by `lab down`. */
export const STATE = '/var/lib/provision/lab'
/** Base images and packages for all labs. Can be deleted at any time. */
export const CACHE = '/var/cache/provision/lab'

interface LabPaths {
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
  /** The mount point of that disk, with the overlay's upper and work directories. */
  readonly disk: string
  /** The host's root directory: an overlay of the base image. */
  readonly root: string
  /** Its console output since its creation. */
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

/** Checks a name, which becomes a directory, a cgroup and a host name. */
export function checkName(kind: 'lab' | 'host' | 'snapshot', name: string): string {
  if (NAME.test(name)) return name
  throw new Problem(`"${name}" is not a valid name of a ${kind}.`, {
    next: 'Use at most 32 lower-case letters, digits and dashes, beginning with a letter.',
  })
}

/** Finds the element of that name. @throws Problem */
export function byName<T extends { readonly name: string }>(all: readonly T[], name: string, lab: string): T {
  const found = all.find((one) => one.name === name)
  if (found) return found
  const names = all.map((one) => one.name)
  throw new Problem(`The lab "${lab}" has no host "${name}".`, {
    next: didYouMean(name, names) ?? `It has ${names.join(', ')}.`,
  })
}

const NAME = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/
