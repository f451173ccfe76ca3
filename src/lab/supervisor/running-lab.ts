import type { Server } from 'node:http'
import { Problem } from '../../model/problem.ts'
import { elapsed } from '../../shell/duration.ts'
import { aptProxy } from '../apt/server.ts'
import type { Mirror } from '../apt/sources.ts'
import { byName } from '../base/paths.ts'
import { type LabState, processId, readState, writeState } from '../base/state.ts'
import { remount, unmount } from '../hosts/disk.ts'
import { Guest } from '../hosts/guest.ts'
import { HostBuilder } from '../hosts/host-builder.ts'
import { assertSnapshotNameFree, takeSnapshot } from '../image/snapshot-copy.ts'
import { APT_PORT, DEFAULT_NAME, GATEWAY, planAddresses, usualPort, VIP } from '../network/addresses.ts'
import { setSplits } from '../network/bridge.ts'
import { Forwarder, type Target } from '../network/forwarder.ts'
import type { Gateway } from '../network/gateway.ts'
import type { HostStatus, HostVerb, UpRequest } from './control.ts'
import { type KnownHost, writeSshFiles } from './ssh-config.ts'

/** A host, and the forwarder to its sshd. */
interface LabMember {
  readonly name: string
  readonly guest: Guest
  readonly forwarder: Forwarder
  readonly known: KnownHost
}

/** The state of a lab in its supervisor. */
export class RunningLab {
  readonly #name: string
  readonly #gateway: Gateway
  /** The state saved by an earlier supervisor: hosts keep their addresses and ports. */
  readonly #before: LabState | undefined
  readonly #members = new Map<string, LabMember>()
  readonly #splits = new Map<string, readonly [string, string]>()
  #packages: Server | undefined
  #ports: LabState['ports'] | undefined
  #base = ''
  #cpuPercent: number | undefined

  constructor(name: string, gateway: Gateway) {
    this.#name = name
    this.#gateway = gateway
    this.#before = readState(name)
  }

  /** Adds missing hosts, powers on those that are off, removes injected faults, and waits until all answer. */
  async up({ hosts, debian, base, mirror, cpuPercent }: UpRequest, log: (line: string) => void): Promise<void> {
    const begin = Date.now()
    this.#base = base
    this.#cpuPercent = cpuPercent ?? undefined
    this.#packages ??= await this.#servePackages(mirror)
    this.#ports ??= await this.#openSite()
    await this.#add(hosts)
    this.#write(debian)
    await this.#clearNetworkFaults()
    await allOrProblem(
      this.#guests().map(async (guest) => {
        const wasOff = guest.power === 'off'
        guest.share = this.#cpuPercent
        await guest.clearFaults()
        await guest.start(log)
        if (wasOff) log(`${guest.name} answers (${elapsed(Date.now() - begin)})`)
      }),
    )
  }

  status(): readonly HostStatus[] {
    return [...this.#members.values()].map(({ guest, forwarder, known }) => ({
      name: guest.name,
      address: guest.address,
      port: known.port,
      power: guest.power,
      faults: [
        ...guest.faults,
        ...(forwarder.delay > 0 ? [`${forwarder.delay} ms away`] : []),
        ...this.#splitsOf(guest),
      ],
      since: guest.since,
      leader: guest.leader,
    }))
  }

  async act(verb: HostVerb, host: string): Promise<void> {
    await HOST_ACTIONS[verb](this.#member(host).guest)
  }

  async split(a: string, b: string, apart: boolean): Promise<void> {
    const pair = [this.#member(a).guest.address, this.#member(b).guest.address].sort()
    const [one = '', other = ''] = pair
    if (apart) this.#splits.set(pair.join(' '), [one, other])
    else this.#splits.delete(pair.join(' '))
    await setSplits([...this.#splits.values()], this.#base)
  }

  delay(host: string, ms: number): void {
    this.#member(host).forwarder.delay = ms
  }

  /** Powers running hosts off for the copy, so that their disks are consistent. */
  async snapshot(name: string, log: (line: string) => void): Promise<void> {
    assertSnapshotNameFree(name)
    const state = readState(this.#name)
    if (!state) throw new Error('a lab that is up has a state file')
    const all = this.#guests()
    const running = all.filter((guest) => guest.power !== 'off')
    if (running.length > 0) log(`powering off ${running.map((guest) => guest.name).join(', ')}`)
    await allOrProblem(running.map((guest) => guest.poweroff()))
    log('copying disks')
    try {
      await Promise.all(all.map((guest) => unmount(guest.paths)))
      await takeSnapshot(name, state)
    } finally {
      await Promise.all(all.map((guest) => remount(guest.paths, this.#base)))
    }
    if (running.length > 0) log('powering them on again')
    await allOrProblem(running.map((guest) => guest.start(log)))
  }

  slow(host: string, percent: number | undefined): void {
    this.#member(host).guest.slow(percent)
  }

  async #add(names: readonly string[]): Promise<void> {
    const fresh = names.filter((name) => !this.#members.has(name))
    if (fresh.length === 0) return
    const maker = await HostBuilder.forLab(this.#name, this.#base)
    const has = new Map([...(this.#before?.hosts ?? []), ...this.#guests()].map(({ name, address }) => [name, address]))
    const addresses = planAddresses(names, has)
    const made = fresh.map(async (name): Promise<LabMember> => {
      const guest = new Guest({ lab: this.#name, name, address: addresses.get(name) ?? '' })
      const [key, { forwarder, port }] = await Promise.all([
        maker.make(guest),
        this.#forward({ host: guest.address, port: 22 }, this.#wantedPort(guest)),
      ])
      return { name, guest, forwarder, known: { name, address: guest.address, port, ...key } }
    })
    for (const member of await Promise.all(made)) this.#members.set(member.name, member)
  }

  #wantedPort({ name, address }: Guest): number {
    const had = this.#before?.hosts.find((host) => host.name === name)?.port
    return had ?? (this.#name === DEFAULT_NAME ? usualPort(address) : 0)
  }

  async #openSite(): Promise<LabState['ports']> {
    const usual = this.#name === DEFAULT_NAME ? { https: 8443, http: 8080 } : { https: 0, http: 0 }
    const wanted = this.#before?.ports ?? usual
    const https = await this.#forward({ host: VIP, port: 443 }, wanted.https)
    const http = await this.#forward({ host: VIP, port: 80 }, wanted.http)
    return { https: https.port, http: http.port }
  }

  async #forward(target: Target, wantedPort: number) {
    const { server, port } = await this.#gateway.listen(wantedPort)
    return { forwarder: new Forwarder(server, target), port }
  }

  async #servePackages(mirror: Mirror): Promise<Server> {
    const proxy = aptProxy(mirror, (target) => this.#gateway.connect(target))
    await new Promise<void>((resolve, reject) => {
      proxy.once('error', reject).listen(APT_PORT, GATEWAY, resolve)
    })
    return proxy
  }

  async #clearNetworkFaults(): Promise<void> {
    for (const { forwarder } of this.#members.values()) forwarder.delay = 0
    if (this.#splits.size > 0) await setSplits([], this.#base)
    this.#splits.clear()
  }

  #write(debian: LabState['debian']): void {
    const supervisor = processId(process.pid)
    if (!supervisor || !this.#ports) throw new Error('the state of a lab is saved after its ports are known')
    const known = [...this.#members.values()].map((member) => member.known)
    writeSshFiles(this.#name, known)
    const hosts = known.map(({ name, address, port, hostKey }) => ({ name, address, port, hostKey }))
    writeState({
      ...{ name: this.#name, debian, base: this.#base, supervisor, hosts, ports: this.#ports },
      ...(this.#cpuPercent !== undefined && { cpuPercent: this.#cpuPercent }),
    })
  }

  #splitsOf({ address }: Guest): readonly string[] {
    const others = [...this.#splits.values()].filter((pair) => pair.includes(address)).flat()
    return this.#guests().flatMap((guest) => {
      return guest.address !== address && others.includes(guest.address) ? `split from ${guest.name}` : []
    })
  }

  #member(host: string): LabMember {
    return byName([...this.#members.values()], host, this.#name)
  }

  #guests(): readonly Guest[] {
    return [...this.#members.values()].map(({ guest }) => guest)
  }
}

/** Waits for all, then throws one Problem with the errors of all hosts. */
export async function allOrProblem(work: readonly Promise<void>[]): Promise<void> {
  const errors = (await Promise.allSettled(work)).flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  const [first] = errors
  if (errors.length < 2) {
    if (first) throw first
    return
  }
  throw new Problem(`${errors.length} hosts did not come up.`, {
    details: errors.flatMap((error) =>
      error instanceof Problem ? [error.message, ...error.details, ...(error.next ? [error.next] : [])] : String(error),
    ),
    next: 'provision lab up tries again with those that are not up.',
  })
}

/** Actions on a host. */
const HOST_ACTIONS: { readonly [V in HostVerb]: (guest: Guest) => Promise<void> | void } = {
  kill: (guest) => guest.kill(),
  poweroff: (guest) => guest.poweroff(),
  start: (guest) => guest.start(),
  reset: (guest) => guest.reset(),
  cut: (guest) => guest.setCut(true),
  uncut: (guest) => guest.setCut(false),
  freeze: (guest) => guest.freeze(),
  thaw: (guest) => guest.thaw(),
  fillDisk: (guest) => guest.fillDisk(),
  freeDisk: (guest) => guest.freeDisk(),
}
