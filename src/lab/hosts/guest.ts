import type { ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../model/problem.ts'
import { cpuUsed, freezeGroup, killGroup, labGroup, limitCpu, makeGroup, removeGroup } from '../base/cgroups.ts'
import { type HostPaths, hostPaths } from '../base/paths.ts'
import { childrenOf } from '../base/state.ts'
import { connectHost, disconnectHost, namespacePath, setLink } from '../network/bridge.ts'
import { fillDisk, freeDisk } from './disk.ts'
import { boot, POWER_OFF, REBOOT } from './nspawn.ts'
import { Console, describeActivity, type HostActivity, Progress, unitsDone } from './progress.ts'

/** Milliseconds between two checks of a host that starts or stops. */
const CHECK_INTERVAL = 1_000
/** Milliseconds between two progress messages. */
const REPORT_INTERVAL = 10_000

interface GuestOptions {
  readonly lab: string
  readonly name: string
  readonly address: string
}

/** A host in its supervisor: its power, network link and disk. */
export class Guest {
  readonly name: string
  readonly address: string
  readonly paths: HostPaths
  readonly #group: string
  readonly #console: Console
  /** Pending from power-on to power-off, across reboots. */
  #life: Promise<void> | undefined
  /** The internal error that ended it. */
  #error: unknown
  #machine: ChildProcess | undefined
  #wanted = false
  #answered = false
  #since = 0
  #cut = false
  #frozen = false
  #full = false
  /** Its usual CPU limit in percent of a core; undefined for no limit. */
  #share: number | undefined
  /** The limit while it is slowed. */
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

  /** The time of its last start or restart. */
  get since(): number {
    return this.#since
  }

  /** The pid on this machine of its init process. */
  get leader(): number | undefined {
    const pid = this.#machine?.pid
    return pid === undefined ? undefined : childrenOf(pid)[0]
  }

  /**
   * Powers it on, unless it is on, and waits until its sshd answers, unless a fault prevents that.
   *
   * @param waiting receives progress messages
   */
  async start(waiting?: (line: string) => void): Promise<void> {
    if (!this.#wanted) await this.#life // It is powering off.
    this.#wanted = true
    this.#error = undefined
    this.#life ??= this.#live()
      .catch((error: unknown) => {
        this.#error = error
      })
      .finally(() => {
        this.#life = undefined
        this.#wanted = false
      })
    await (this.#cut || this.#frozen ? this.#hasBegun() : this.#answers(waiting))
  }

  /** Shuts it down cleanly and waits. */
  async poweroff(): Promise<void> {
    this.thaw()
    const { leader } = this
    if (leader === undefined) return
    this.#wanted = false
    process.kill(leader, POWER_OFF)
    const progress = new Progress(Date.now(), this.#sight())
    while (!(await endsWithin(CHECK_INTERVAL, this.#life))) {
      const sight = this.#sight()
      const stalled = progress.stalled(Date.now(), sight)
      if (stalled) throw this.#problem(`${stalled} and is not off: ${describeActivity(sight, 'stopped')}`)
    }
  }

  /** Cuts its power. */
  async kill(): Promise<void> {
    this.#wanted = false
    if (this.#machine) await disconnectHost(this)
    if (this.#machine) killGroup(this.#group)
    this.#machine?.kill('SIGKILL') // It may not have joined its group yet.
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
    if (!this.#machine) throw new Problem(`"${this.name}" is off.`, { next: `provision lab start ${this.name}` })
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

  /** Limits its CPU time, across reboots. @param percent of one core; undefined for its usual limit */
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

  /** Sets its usual CPU limit. @param percent of one core; undefined for no limit */
  set share(percent: number | undefined) {
    this.#share = percent
    if (this.#machine) this.#limit()
  }

  /** Removes all faults except that it is off. */
  async clearFaults(): Promise<void> {
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
      code = this.#wanted ? await this.#run() : 0 // It may have been killed meanwhile.
      await disconnectHost(this)
      await removeGroup(this.#group)
    } while (code === REBOOT && this.#wanted)
  }

  /** Runs one boot to its end. */
  #run(): Promise<number | null> {
    const { name, paths } = this
    const network = namespacePath(name)
    this.#limit()
    this.#console.begin()
    const machine = boot({ name, root: paths.root, console: paths.console, network, group: this.#group })
    this.#machine = machine
    this.#answers().catch(() => {}) // Sets it to running after a reboot that no call waits for.
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

  /** Waits for its sshd as long as it makes progress. */
  async #answers(waiting: (line: string) => void = () => {}): Promise<void> {
    const progress = new Progress(Date.now(), this.#sight())
    let checked = Date.now()
    let reported = Date.now()
    for (; ; await sleep(25)) {
      if (!this.#life) throw this.#error ?? this.#problem('did not stay up')
      if (this.#machine && (await sshIsReady(this.address))) {
        this.#answered = true
        return
      }
      if (Date.now() - checked < CHECK_INTERVAL) continue
      checked = Date.now()
      const sight = this.#sight()
      const stalled = progress.stalled(checked, sight)
      if (stalled)
        throw this.#problem(`${stalled}, and its sshd does not answer: ${describeActivity(sight, 'started')}`)
      if (checked - reported < REPORT_INTERVAL) continue
      reported = checked
      waiting(`waiting for ${this.name}: ${describeActivity(sight, 'started')}`)
    }
  }

  #sight(): HostActivity {
    return { units: unitsDone(this.#console.text()), cpu: cpuUsed(this.#group) }
  }

  /** A Problem with the last lines of its console. */
  #problem(what: string): Problem {
    return new Problem(`"${this.name}" ${what}.`, {
      details: this.#console.lastLines(),
      next: `Its console output is in ${this.#console.path}. To try again: provision lab reset ${this.name}`,
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

/** In milliseconds. The host's kernel accepts a connection at once, however slow its programs are. */
const CONNECT = 1_000
/** In milliseconds. A slow host starts the process for the greeting slowly, and each new connection would start another. */
const GREETING = 30_000

/** True if sshd sends its greeting. An accepted connection is not enough: a frozen host accepts it too. */
function sshIsReady(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 22 })
    const end = (greeted: boolean) => {
      socket.destroy()
      resolve(greeted)
    }
    socket.setTimeout(CONNECT, () => end(false))
    socket.once('connect', () => socket.setTimeout(GREETING))
    socket.once('error', () => end(false))
    socket.once('end', () => end(false))
    socket.once('data', (data) => end(data.toString().startsWith('SSH-')))
  })
}
