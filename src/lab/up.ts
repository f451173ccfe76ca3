import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Problem } from '../model/problem.ts'
import { machineMirror } from './apt/sources.ts'
import { checkPercent, labGroup, removeGroup, removeTop } from './base/cgroups.ts'
import { locked } from './base/lock.ts'
import { checkName, hostPaths, labPaths } from './base/paths.ts'
import { checkMachine, installRequirements } from './base/requirements.ts'
import { giveToInvoker } from './base/secrets.ts'
import { type Debian, isUp, type LabState, readState } from './base/state.ts'
import { baseImage } from './image/base-image.ts'
import { restoreSnapshot } from './image/snapshot-copy.ts'
import type { Lab } from './lab.ts'
import { openLab } from './lab.ts'
import { DEFAULT_NAME, defaultHosts } from './network/addresses.ts'
import { call } from './supervisor/control.ts'
import { startSupervisor } from './supervisor/start.ts'

/** Options of {@link upLab}. */
export interface UpOptions {
  /** @default 'demo' */
  readonly name?: string
  /** Hosts to add. @default for a new lab two each of lb, web, app and db, and on Debian 13 witness1 */
  readonly hosts?: readonly string[]
  /** The snapshot from which a new lab is created. @default empty hosts */
  readonly from?: string
  /** @default the release of the lab or snapshot, else 13 */
  readonly debian?: Debian
  /**
   * Limit of each host's CPU time in percent of a core, to test with slow hosts.
   *
   * @default that of the lab, else `$LAB_CPU`, else no limit
   */
  readonly cpuPercent?: number
  /** Receives a message for each long step. */
  readonly log?: (line: string) => void
}

/**
 * Brings a lab up: creates missing hosts, powers on those that are off, and removes injected faults.
 *
 * @example const lab = await upLab({ name: 'mine', hosts: ['web1', 'db1'], debian: 13 })
 */
export async function upLab(options: UpOptions = {}): Promise<Lab> {
  const { name = DEFAULT_NAME, hosts = [], log = () => {} } = options
  checkName('lab', name)
  for (const host of hosts) checkName('host', host)
  await installRequirements(log)
  await locked({ name, waiting: () => log('waiting for another `lab up` or `lab down`') }, async () => {
    const state =
      options.from === undefined
        ? readState(name)
        : await restoreSnapshot({ from: options.from, name, debian: options.debian, log })
    const debian = wantedDebian(state, options.debian)
    const base = await wantedBase(state, debian, log)
    if (!isUp(state)) await startSupervisor(name)
    const has = state?.hosts.map((host) => host.name) ?? []
    const wanted = [...new Set([...has, ...hosts])]
    const order = {
      hosts: wanted.length > 0 ? wanted : defaultHosts(debian),
      debian,
      base,
      mirror: machineMirror(),
      cpuPercent: wantedPercent(options.cpuPercent, state),
    }
    await call(labPaths(name).socket, 'up', order, log)
    giveToInvoker(name)
  })
  return openLab(name)
}

function wantedPercent(asked: number | undefined, state: LabState | undefined): number | null {
  const given = process.env['LAB_CPU']
  const percent = asked ?? state?.cpuPercent ?? (given ? Number(given) : undefined)
  return percent === undefined ? null : checkPercent(percent)
}

function wantedDebian(state: LabState | undefined, asked: Debian | undefined): Debian {
  if (state && asked && state.debian !== asked) {
    throw new Problem(`The lab "${state.name}" runs Debian ${state.debian}.`, {
      next: `For Debian ${asked}: provision lab down --name ${state.name}, or give another --name.`,
    })
  }
  return asked ?? state?.debian ?? 13
}

/** The image of the existing disks. If it no longer exists, the disks are useless and are deleted. */
async function wantedBase(state: LabState | undefined, debian: Debian, log: (line: string) => void): Promise<string> {
  if (state && existsSync(state.base)) return state.base
  const base = await baseImage({ debian, log })
  if (state && state.base !== base) {
    for (const { name } of state.hosts) await rm(hostPaths(state.name, name).image, { force: true })
  }
  return base
}

/**
 * Stops a lab and deletes its hosts, disks, keys and secrets. Base images and cached packages are kept.
 *
 * Its supervisor and hosts are one tree of cgroups, so one write kills them all. Their networks and mounts are in namespaces that end with
 * their last process.
 *
 * @example await downLab('mine')
 */
export async function downLab(name: string = DEFAULT_NAME): Promise<void> {
  const { directory } = labPaths(checkName('lab', name))
  checkMachine()
  await locked({ name }, async () => {
    await removeGroup(labGroup(name))
    removeTop()
    await rm(directory, { recursive: true, force: true })
  })
}
