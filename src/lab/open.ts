import { Problem } from '../model/problem.ts'
import { checkPercent } from './hosts/cpu.ts'
import { nsenterCommand } from './hosts/nsenter.ts'
import { DEPLOY } from './image/base-contents.ts'
import type { Lab, LabHost } from './lab.ts'
import { locked } from './lock.ts'
import { byName, checkName } from './names.ts'
import { DEFAULT_NAME, VIP } from './network/addresses.ts'
import { labPaths } from './paths.ts'
import { type CommandResult, tryRun } from './run.ts'
import { labSecret } from './secrets.ts'
import { isUp, type LabState, readState } from './state.ts'
import { type Calls, call, type HostStatus, type HostVerb } from './supervisor/control.ts'

/**
 * The lab of that name, which must be up.
 *
 * @example
 * const lab = openLab('mine')
 * await lab.exec('web1', 'systemctl is-active nginx')
 */
export function openLab(name: string = DEFAULT_NAME): Lab {
  const state = readState(checkName('lab', name))
  if (isUp(state)) return new OpenLab(state)
  const flag = name === DEFAULT_NAME ? '' : ` --name ${name}`
  throw new Problem(`The lab "${name}" is not up.`, { next: `provision lab up${flag}` })
}

class OpenLab implements Lab {
  readonly name: string
  readonly directory: string
  readonly hosts: readonly LabHost[]
  readonly vip = VIP
  readonly ports: Lab['ports']
  readonly sshConfig: string
  readonly #socket: string

  constructor({ name, hosts, ports }: LabState) {
    const { directory, sshConfig, socket, key } = labPaths(name)
    this.name = name
    this.directory = directory
    this.ports = ports
    this.sshConfig = sshConfig
    this.#socket = socket
    this.hosts = hosts.map(({ name, address, port, hostKey }) => ({
      name,
      address,
      ssh: { host: '127.0.0.1', port, user: DEPLOY, identityFile: key, hostKey },
    }))
  }

  host(name: string): LabHost {
    return byName(this.hosts, name, this.name)
  }

  secret(name: string): string {
    return labSecret(this.name, name)
  }

  status(): Promise<readonly HostStatus[]> {
    return this.#call('status', null)
  }

  async exec(host: string, command: string): Promise<CommandResult> {
    const { leader } = byName(await this.status(), host, this.name)
    if (leader === undefined) throw new Problem(`"${host}" is off.`, { next: `provision lab start ${host}` })
    const [program = '', ...args] = nsenterCommand(leader, ['/bin/sh', '-c', command])
    return tryRun(program, args)
  }

  async snapshot(name: string, log?: (line: string) => void): Promise<void> {
    checkName('snapshot', name)
    // Not while another process brings the lab up or down.
    await locked({ name: this.name }, () => this.#call('snapshot', { snapshot: name }, log))
  }

  readonly kill = (host: string) => this.#act('kill', host)
  readonly poweroff = (host: string) => this.#act('poweroff', host)
  readonly start = (host: string) => this.#act('start', host)
  readonly reset = (host: string) => this.#act('reset', host)
  readonly cut = (host: string) => this.#act('cut', host)
  readonly uncut = (host: string) => this.#act('uncut', host)
  readonly freeze = (host: string) => this.#act('freeze', host)
  readonly thaw = (host: string) => this.#act('thaw', host)
  readonly fillDisk = (host: string) => this.#act('fillDisk', host)
  readonly freeDisk = (host: string) => this.#act('freeDisk', host)

  async split(a: string, b: string): Promise<void> {
    await this.#call('split', { a, b, apart: true })
  }

  async heal(a: string, b: string): Promise<void> {
    await this.#call('split', { a, b, apart: false })
  }

  async delay(host: string, ms: number): Promise<void> {
    await this.#call('delay', { host, ms })
  }

  async slow(host: string, percent: number): Promise<void> {
    await this.#call('slow', { host, percent: checkPercent(percent) })
  }

  async fast(host: string): Promise<void> {
    await this.#call('slow', { host, percent: null })
  }

  async #act(verb: HostVerb, host: string): Promise<void> {
    await this.#call('act', { verb, host })
  }

  #call<K extends keyof Calls>(
    verb: K,
    args: Calls[K]['args'],
    log?: (line: string) => void,
  ): Promise<Calls[K]['result']> {
    return call(this.#socket, verb, args, log)
  }
}
