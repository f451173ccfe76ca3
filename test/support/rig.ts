import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenedSession, OpenSession, SessionOptions } from '../../src/engine/hosts/scripts.ts'
import { type RunOptions, run } from '../../src/engine/run.ts'
import type { RunEvent, Summary } from '../../src/model/event.ts'
import type { Group, Host } from '../../src/model/inventory/host.ts'
import { type InventoryOptions, inventory } from '../../src/model/inventory/inventory.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import type { Play } from '../../src/model/playbook/play.ts'
import { playbook } from '../../src/model/playbook/playbook.ts'
import type { AbsolutePath } from '../../src/resources/files/stat.ts'
import { openSession } from '../../src/transport/session/open.ts'
import type { Connection } from '../../src/transport/transport.ts'
import { type Machine, type MachineOptions, testMachine } from './machine.ts'

export interface Outcome {
  readonly summary: Summary
  readonly events: readonly RunEvent[]
  /** The outcomes of steps and handlers, one per line: `web1 changed file motd`. */
  readonly reported: readonly string[]
  /** The messages of all problems. */
  readonly problems: readonly string[]
}

export type Plays = (web: Group) => readonly Play[]

export type Options = Partial<Omit<RunOptions, 'inventory' | 'playbook'>> &
  InventoryOptions & {
    /** @default one host, web1 */
    readonly names?: readonly string[]
    /** The name of a host that is unreachable. */
    readonly dead?: string
    /** Called before each session is opened, which waits for it. */
    readonly opens?: (host: Host, options: SessionOptions) => unknown
    readonly on?: (event: RunEvent) => void
    /** Takes the hosts' locks under this name. @default no lock is taken */
    readonly owner?: string
  }

/** Runs the engine on this machine as one or many hosts, each test with its own directory. */
export class Rig {
  readonly directory: AbsolutePath = temporary()
  #machine: Machine | undefined
  #root: AbsolutePath | undefined
  /** Called when a shell on a host has ended: that of a session, or one that ends or stops the scripts of another. */
  ended: (() => void) | undefined

  async begin(options: MachineOptions = {}): Promise<void> {
    this.#machine = await testMachine(options)
  }

  async close(): Promise<void> {
    await this.#machine?.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  get machine(): Machine {
    if (!this.#machine) throw new Error('the rig is there from `before` on')
    return this.#machine
  }

  /** An empty directory, a new one for each test. */
  get root(): AbsolutePath {
    this.#root ??= this.empty()
    return this.#root
  }

  renew(): void {
    this.ended = undefined
    this.#root = undefined
  }

  /** Creates an empty directory. */
  empty(): AbsolutePath {
    return temporary(this.directory)
  }

  /** The owner of files, for the options of a step. */
  get own(): { readonly owner: string } {
    return { owner: this.machine.owner }
  }

  readonly open: OpenSession = ({ name }) => this.session(name)

  /** @param owner takes the lock of the host under this name */
  async session(name: string, owner?: string): Promise<OpenedSession> {
    const plain = this.machine.connection()
    const connection: Connection = {
      ...plain,
      start: async (command) => {
        const remote = await plain.start(command)
        void remote.exit.then(() => this.ended?.())
        return remote
      },
    }
    const session = await openSession(connection, {
      host: name,
      ...(owner !== undefined && { lock: { owner } }),
    })
    return {
      session,
      close: async () => {
        await session.close()
        await connection.close()
      },
    }
  }

  async run(
    plays: Plays,
    { names = ['web1'], dead, opens, on, owner, policies = [], waivers = [], ...options }: Options = {},
  ): Promise<Outcome> {
    const site = inventorySchema({ web: hosts() })
    const given = Object.fromEntries(names.map((name, i) => [name, { address: `127.0.0.${i + 1}` }]))
    const events: RunEvent[] = []
    const summary = await run(
      {
        mode: 'apply',
        ...options,
        inventory: inventory(site, { web: { hosts: given } }, { policies, waivers }),
        playbook: playbook(site, ({ web }) => plays(web)),
      },
      {
        open: async (host, options) => {
          if (host.name === dead) throw new Error('no route to it')
          await opens?.(host, options)
          return this.session(host.name, options.lock ? owner : undefined)
        },
        emit: (event) => {
          events.push(event)
          on?.(event)
        },
      },
    )
    return { summary, events, reported: events.flatMap(reported), problems: events.flatMap(problems) }
  }
}

/**
 * Creates a rig for the tests of the enclosing suite.
 *
 * @param options.private skips the tests on a machine without namespaces
 */
export function ownRig(options: MachineOptions & { readonly private?: boolean } = {}): Rig {
  const rig = new Rig()
  before(async function () {
    await rig.begin(options)
    if (options.private && !rig.machine.isPrivate) this.skip()
  })
  beforeEach(() => rig.renew())
  after(() => rig.close())
  return rig
}

/** Creates an empty directory. */
export function temporary(within = tmpdir()): AbsolutePath {
  const path = mkdtempSync(join(within, 'provision-test-'))
  return `/${path.slice(1)}`
}

function reported(event: RunEvent): readonly string[] {
  if (event.kind === 'step') {
    const { host, outcome, step } = event
    return [`${host} ${outcome} ${step.kind} ${step.name.slice(step.name.lastIndexOf('/') + 1)}`]
  }
  if (event.kind === 'handler')
    return [`${event.host} ${event.outcome} handler ${event.name}${event.pending ? ' (pending)' : ''}`]
  return []
}

function problems(event: RunEvent): readonly string[] {
  return event.kind === 'failed' || event.kind === 'unreachable' ? [event.problem.message] : []
}
