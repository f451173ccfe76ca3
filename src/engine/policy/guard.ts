import type { Mode, RunEvent } from '../../model/event.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import { refusedBy } from '../../model/policy/policy.ts'
import { isForHost, type Waiver } from '../../model/policy/waiver.ts'
import { Problem } from '../../model/problem.ts'
import type { RunContext } from '../context.ts'
import type { PlayRun } from '../read/refresh.ts'
import { changesOfPlays, changesOfTurn } from './changes.ts'
import { isProtected, violationsOf } from './protection.ts'
import type { FoundChange, TurnReview, TurnReviewer, TurnSteps } from './turn.ts'

export interface GuardOptions {
  readonly inventory: Pick<Inventory, 'policies' | 'waivers'>
  readonly mode: Mode | 'validate'
  readonly emit: (event: RunEvent) => void
  /** @default the clock of this machine */
  readonly now?: () => Date
}

/** A change that is not allowed. */
interface Refusal {
  readonly found: FoundChange
  /** The name of the policy; of a protected step, its kind and name. */
  readonly rule: string
  readonly kind: 'policy' | 'step'
  /** The message of a protected step. */
  readonly message?: string
}

/** A turn as it was checked last. */
interface ReviewedTurn extends Pick<TurnSteps, 'steps'> {
  readonly changes: readonly FoundChange[]
  readonly isProtecting: boolean
}

/** Checks changes against the policies of an inventory and against protected steps. */
export class Guard implements TurnReviewer {
  readonly #options: GuardOptions
  readonly #now: () => Date
  /** The turns by host, and by play in the order of the plays. */
  readonly #hosts = new Map<string, Map<TurnSteps['play'], ReviewedTurn>>()
  /** The uses of waivers that were reported. */
  readonly #reported = new Set<string>()

  constructor(options: GuardOptions) {
    this.#options = options
    this.#now = options.now ?? (() => new Date())
  }

  /** Checks the changes of all hosts. @returns the refusals, one Problem for each host and rule @throws Problem for an error of a rule */
  reviewPlan(playRuns: readonly PlayRun[], context: Pick<RunContext, 'hostRuns' | 'states'>): readonly PolicyRefusal[] {
    const isConcerned =
      this.#options.inventory.policies.length > 0 ||
      [...context.states.values()].some((plays) => plays.some(({ steps }) => isProtecting(steps)))
    return isConcerned ? this.reviewAll(changesOfPlays(playRuns, context)) : []
  }

  /** The same for turns that are known already. */
  reviewAll(turns: readonly TurnSteps[]): readonly PolicyRefusal[] {
    for (const turn of turns) this.#set(turn)
    const at = this.#now()
    return refusalsOf(this.#judge(at), { at, waivers: this.#options.inventory.waivers, next: NOTHING_CHANGED })
  }

  /**
   * Returns the check of a host's turn: to be called before each change with the steps as they were read last.
   *
   * The time is that of the start of the turn, so that a turn that was allowed is not stopped half-way.
   */
  turn(turn: Omit<TurnSteps, 'steps'>): TurnReview {
    const at = this.#now()
    let last = ''
    return (steps, done) => {
      if (!this.#concerns(steps, turn.host.name)) return
      const own = this.#set({ ...turn, steps })
      const key = own.map(keyOf).join('\n')
      if (key === last) return
      last = key
      const refused = this.#judge(at).filter(({ found }) => own.includes(found) && !done(found))
      const { waivers } = this.#options.inventory
      const [first] = refusalsOf(refused, { at, waivers, next: CHANGED_BEFORE })
      if (first) throw first.problem
    }
  }

  /** False if nothing can refuse a change of these steps. */
  #concerns(steps: TurnSteps['steps'], host: string): boolean {
    const turns = [...(this.#hosts.get(host)?.values() ?? [])]
    return this.#options.inventory.policies.length > 0 || isProtecting(steps) || turns.some((one) => one.isProtecting)
  }

  #set(turn: TurnSteps): readonly FoundChange[] {
    const changes = changesOfTurn(turn)
    const { name } = turn.host
    const own = this.#hosts.get(name) ?? new Map()
    this.#hosts.set(name, own)
    own.set(turn.play, { steps: turn.steps, changes, isProtecting: isProtecting(turn.steps) })
    return changes
  }

  /** The changes that are neither allowed nor waived. Uses of waivers are reported. */
  #judge(at: Date): readonly Refusal[] {
    const { inventory, mode } = this.#options
    const hosts = [...this.#hosts.values()].map((turns) => [...turns.values()])
    const all = hosts.flatMap((turns) => turns.flatMap(({ changes }) => changes))
    const input = { changes: all.map(({ change }) => change), at, mode }
    const byChange = new Map(all.map((found) => [found.change, found]))
    const refusals = [
      ...inventory.policies.flatMap((one) =>
        refusedBy(one, input).flatMap((change): readonly Refusal[] => {
          const found = byChange.get(change)
          return found ? [{ found, rule: one.name, kind: 'policy' }] : []
        }),
      ),
      ...hosts.flatMap((turns) => {
        const own = turns.flatMap(({ changes }) => changes)
        const steps = turns.flatMap((one) => (one.isProtecting ? one.steps : []))
        return violationsOf(steps, own).map(({ step, ...rest }): Refusal => ({ ...rest, rule: step, kind: 'step' }))
      }),
    ]
    return refusals.filter((refusal) => !this.#isWaived(refusal, at))
  }

  #isWaived(refusal: Refusal, at: Date): boolean {
    const waiver = waiversFor(refusal, this.#options.inventory.waivers).find(({ until }) => at <= until)
    if (!waiver) return false
    const { found, rule } = refusal
    const { host } = found.change
    const key = [host.name, rule, keyOf(found)].join('\n')
    if (!this.#reported.has(key)) {
      this.#reported.add(key)
      const { reason, until } = waiver
      const about = { policy: rule, host: host.name, changes: [found.title] }
      this.#options.emit({ kind: 'policy', outcome: 'waived', ...about, reason, until: until.toISOString() })
    }
    return true
  }
}

function isProtecting(steps: TurnSteps['steps']): boolean {
  return steps.some(({ expanded }) => isProtected(expanded.step))
}

/** The changes of a host that a rule refuses. */
export interface PolicyRefusal {
  readonly policy: string
  readonly host: string
  readonly changes: readonly string[]
  readonly problem: Problem
}

const NOTHING_CHANGED = 'Nothing was changed on any host.'
const CHANGED_BEFORE = 'Changes that were made before it on this host are kept.'

interface RefusalOptions {
  readonly at: Date
  readonly waivers: readonly Waiver[]
  readonly next: string
}

/** One for each host and rule. */
function refusalsOf(refusals: readonly Refusal[], options: RefusalOptions): readonly PolicyRefusal[] {
  const groups = new Map<string, Refusal[]>()
  for (const one of refusals) {
    const key = [one.found.change.host.name, one.kind, one.rule].join('\n')
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const changes = [...new Set(group.map(({ found }) => found.title))]
    const { rule, found } = first
    return [{ policy: rule, host: found.change.host.name, changes, problem: problemOf(first, changes, options) }]
  })
}

/** The lines of changes in a message. */
const SHOWN = 20

function problemOf(refusal: Refusal, changes: readonly string[], { at, waivers, next }: RefusalOptions): Problem {
  const { found, rule, kind, message } = refusal
  const { host, source } = found.change
  const expired = waiversFor(refusal, waivers).filter(({ until }) => at > until)
  const more = changes.length - 1 - SHOWN
  const exception = kind === 'policy' ? `waive('${rule}', …)` : `lift('${rule}', …)`
  return new Problem(
    message === undefined
      ? `${host.name}: the policy "${rule}" does not allow ${found.title}`
      : `${host.name}: ${message}`,
    {
      ...(source && { where: source }),
      details: [
        ...changes.slice(1, SHOWN + 1).map((title) => `also ${title}`),
        ...(more > 0 ? [`and ${more} more`] : []),
        ...expired.map(({ until, reason }) => `A waiver has expired at ${until.toISOString()}: ${reason}`),
      ],
      next: `${next} An exception for a time is ${exception} in the waivers of the inventory.`,
    },
  )
}

function waiversFor({ rule, kind, found }: Refusal, waivers: readonly Waiver[]): readonly Waiver[] {
  return waivers.filter(
    (one) =>
      ('policy' in one.of ? kind === 'policy' && one.of.policy === rule : kind === 'step' && one.of.step === rule) &&
      isForHost(one, found.change.host),
  )
}

function keyOf({ change: { kind, name, action, fields }, title }: FoundChange): string {
  return JSON.stringify([kind, name, action, fields, title])
}
