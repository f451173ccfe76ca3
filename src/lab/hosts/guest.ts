import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../model/problem.ts'
import { connectHost, disconnectHost, namespacePath, setLink } from '../network/bridge.ts'
import { type HostPaths, hostPaths } from '../paths.ts'
import { childrenOf } from '../process-id.ts'
import { freezeGroup, killGroup, labGroup, makeGroup, removeGroup } from './cgroups.ts'
import { Console } from './console.ts'
import { cpuUsed, limitCpu } from './cpu.ts'
import { fillDisk, freeDisk } from './disk.ts'
import { boot, POWER_OFF, REBOOT } from './nspawn.ts'
import { describeActivity, type HostActivity, Progress, unitsDone } from './progress.ts'
import { sshIsReady } from './ssh-ready.ts'

/** How often a host that starts or stops is looked at, in milliseconds. */
const LOOK = 1_000
/** How often somebody who waits for it is told, in milliseconds. */
const TELL = 10_000

export interface GuestOptions {
  readonly lab: string
  readonly name: string
  readonly address: string
}

/** A host as its supervisor holds it: the machine, its power, its cable, its disk. */
export class Guest {
  readonly name: string
  readonly address: string
  readonly paths: HostPaths
  readonly #group: string
  readonly #console: Console
  /** From switching on until it is off for good, through all its reboots. */
  #life: Promise<void> | undefined
  /** What ended its life, when it was a mistake of ours. */
  #trouble: unknown
  #machine: ChildProcess | undefined
  #wanted = false
  #answered = false
  #since = 0
  #cut = false
  #frozen = false
  #full = false
  /** Percent of a core that it gets when nothing is done to it; undefined for no limit. */
  #share: number | undefined
  /** The same, while it is slowed. */
  #slowed: number | undefined

  constructor({ lab, name, address }: GuestOptions) {
    this.name = name
    this.address = address
    this.paths = hostPaths(lab, name)
    this.#console = new Console(this.paths.console)
    this.#group = labGroup(lab, 'hosts', name)
  }

  get power(): 'off' | 'booting' | 'running' {
    if (!this.#life) return 'off'
    return this.#answered ? 'running' : 'booting'
  }

  get faults(): readonly string[] {
    const all = { cut: this.#cut, frozen: this.#frozen, 'disk full': this.#full }
    const share = this.#slowed ?? this.#share
    return [
      ...Object.entries(all).flatMap(([fault, has]) => (has ? fault : [])),
      ...(share === undefined ? [] : [`${share} % of a core`]),
    ]
  }

  /** When it was last switched on or started again. */
  get since(): number {
    return this.#since
  }

  /** Its PID 1, as this machine numbers it. */
  get leader(): number | undefined {
    const pid = this.#machine?.pid
    return pid === undefined ? undefined : childrenOf(pid)[0]
  }

  /**
   * Switches it on, unless it is on, and waits until its sshd answers; not for one that cannot.
   *
   * @param waiting receives the progress now and then
   */
  async start(waiting?: (line: string) => void): Promise<void> {
    if (!this.#wanted) await this.#life // it is just going off
    this.#wanted = true
    this.#trouble = undefined
    this.#life ??= this.#live()
      .catch((error: unknown) => {
        this.#trouble = error
      })
      .finally(() => {
        this.#life = undefined
        this.#wanted = false
      })
    await (this.#cut || this.#frozen ? this.#hasBegun() : this.#answers(waiting))
  }

  /** As a person who presses the power button and waits. */
  async poweroff(): Promise<void> {
    this.thaw()
    const { leader } = this
    if (leader === undefined) return
    this.#wanted = false
    process.kill(leader, POWER_OFF)
    const progress = new Progress(Date.now(), this.#sight())
    while (!(await endsWithin(LOOK, this.#life))) {
      const sight = this.#sight()
      const stalled = progress.stalled(Date.now(), sight)
      if (stalled) throw this.#problem(`${stalled} and is not off: ${describeActivity(sight, 'stopped')}`)
    }
  }

  /** Pulls the plug. */
  async kill(): Promise<void> {
    this.#wanted = false
    if (this.#machine) await disconnectHost(this)
    if (this.#machine) killGroup(this.#group)
    this.#machine?.kill('SIGKILL') // it may not have entered its group yet
    await this.#life
    this.#frozen = false
  }

  async reset(): Promise<void> {
    await this.kill()
    await this.start()
  }

  async setCut(cut: boolean): Promise<void> {
    this.#cut = cut
    if (this.#machine) await setLink(this, !cut)
  }

  freeze(): void {
    if (!this.#machine)
      throw new Problem(`"${this.name}" is off.`, { next: `provision lab start ${this.name}` })
    freezeGroup(this.#group, true)
    this.#frozen = true
  }

  thaw(): void {
    if (this.#frozen) freezeGroup(this.#group, false)
    this.#frozen = false
  }

  async fillDisk(): Promise<void> {
    await fillDisk(this.paths)
    this.#full = true
  }

  async freeDisk(): Promise<void> {
    await freeDisk(this.paths)
    this.#full = false
  }

  /** Limits its processor time from now on, through all its reboots. @param percent of one core; undefined for its usual share */
  slow(percent: number | undefined): void {
    const before = this.#slowed
    this.#slowed = percent
    try {
      if (this.#machine) this.#limit()
    } catch (error) {
      this.#slowed = before
      throw error
    }
  }

  /** Sets what it gets while it is not slowed. @param percent of one core; undefined for no limit */
  set share(percent: number | undefined) {
    this.#share = percent
    if (this.#machine) this.#limit()
  }

  /** Undoes what was done to it, but for its power. */
  async mend(): Promise<void> {
    this.thaw()
    if (this.#cut) await this.setCut(false)
    if (this.#full) await this.freeDisk()
    if (this.#slowed !== undefined) this.slow(undefined)
  }

  #limit(): void {
    limitCpu(this.#group, this.#slowed ?? this.#share)
  }

  async #live(): Promise<void> {
    let code: number | null
    do {
      this.#since = Date.now()
      this.#answered = false
      makeGroup(this.#group)
      await connectHost(this)
      if (this.#cut) await setLink(this, false)
      code = this.#wanted ? await this.#run() : 0 // the plug may have been pulled meanwhile
      await disconnectHost(this)
      await removeGroup(this.#group)
    } while (code === REBOOT && this.#wanted)
  }

  /** One boot, to its end. */
  #run(): Promise<number | null> {
    const { name, paths } = this
    const network = namespacePath(name)
    this.#limit()
    this.#console.begin()
    const machine = boot({ name, root: paths.root, console: paths.console, network, group: this.#group })
    this.#machine = machine
    this.#answers().catch(() => {}) // so that it counts as running after a reboot that nobody waits for
    return new Promise((resolve, reject) => {
      machine.once('error', reject)
      machine.once('close', (code) => {
        this.#machine = undefined
        resolve(code)
      })
    })
  }

  async #hasBegun(): Promise<void> {
    while (this.#life && this.leader === undefined) await sleep(5)
  }

  /** Waits as long as it makes progress. */
  async #answers(waiting: (line: string) => void = () => {}): Promise<void> {
    const progress = new Progress(Date.now(), this.#sight())
    let looked = Date.now()
    let told = Date.now()
    for (; ; await sleep(25)) {
      if (!this.#life) throw this.#trouble ?? this.#problem('did not stay up')
      if (this.#machine && (await sshIsReady(this.address))) {
        this.#answered = true
        return
      }
      if (Date.now() - looked < LOOK) continue
      looked = Date.now()
      const sight = this.#sight()
      const stalled = progress.stalled(looked, sight)
      if (stalled)
        throw this.#problem(`${stalled}, and its sshd does not answer: ${describeActivity(sight, 'started')}`)
      if (looked - told < TELL) continue
      told = looked
      waiting(`waiting for ${this.name}: ${describeActivity(sight, 'started')}`)
    }
  }

  #sight(): HostActivity {
    return { units: unitsDone(this.#console.text()), cpu: cpuUsed(this.#group) }
  }

  /** With the last lines of its console. */
  #problem(what: string): Problem {
    return new Problem(`"${this.name}" ${what}.`, {
      details: this.#console.lastLines(),
      next: `All that it wrote is in ${this.#console.path}. To try again: provision lab reset ${this.name}`,
    })
  }
}

async function endsWithin(ms: number, work: Promise<void> | undefined): Promise<boolean> {
  const over = new AbortController()
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false)
  const inTime = await Promise.race([Promise.resolve(work).then(() => true), late])
  over.abort()
  return inTime
}
