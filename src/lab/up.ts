import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Problem } from '../model/problem.ts'
import { machineMirror } from './apt/mirror.ts'
import { checkPercent } from './hosts/cpu.ts'
import { baseImage } from './image/base-image.ts'
import { restoreSnapshot } from './image/restore-snapshot.ts'
import { giveToInvoker } from './invoker.ts'
import type { Lab } from './lab.ts'
import { locked } from './lock.ts'
import { checkName } from './names.ts'
import { DEFAULT_NAME, defaultHosts } from './network/addresses.ts'
import { openLab } from './open.ts'
import { hostPaths, labPaths } from './paths.ts'
import { installRequirements } from './requirements.ts'
import { type Debian, isUp, type LabState, readState } from './state.ts'
import { call } from './supervisor/control.ts'
import { startSupervisor } from './supervisor/start.ts'

/** Which lab: see {@link upLab}. */
export interface UpOptions {
  /** @default 'demo' */
  readonly name?: string
  /** Added to those that the lab already has. @default eight: two each of lb, web, app, db; none for a lab that has some */
  readonly hosts?: readonly string[]
  /** A snapshot that the lab is made of, unless there is one of that name. @default bare hosts */
  readonly from?: string
  /** @default 12, or what the lab or the snapshot already runs */
  readonly debian?: Debian
  /**
   * Percent of one core that each host gets, from its boot on: hosts as slow as you like, to try what depends on time.
   *
   * @default what the lab has, else `$LAB_CPU`, else no limit
   */
  readonly cpuPercent?: number
  /** Told of each step that takes long. */
  readonly log?: (line: string) => void
}

/**
 * Brings a lab up: makes what is not there, switches on what is off, mends what is broken, and leaves alone what is well.
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

/** The image under the disks that there are. Where it is gone, they are worth nothing and go as well. */
async function wantedBase(
  state: LabState | undefined,
  debian: Debian,
  log: (line: string) => void,
): Promise<string> {
  if (state && existsSync(state.base)) return state.base
  const base = await baseImage({ debian, log })
  if (state && state.base !== base) {
    for (const { name } of state.hosts) await rm(hostPaths(state.name, name).image, { force: true })
  }
  return base
}
