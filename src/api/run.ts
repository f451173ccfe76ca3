import type { Confirm } from '../engine/context.ts'
import type { OpenSession } from '../engine/hosts/scripts.ts'
import type { ExpectedPlan, PlanContent } from '../engine/plan/plan-file.ts'
import type { SelectOptions } from '../engine/read/selection.ts'
import { run as runEngine } from '../engine/run.ts'
import { type Mode, type RunEvent, type RunStatus, type Summary, statusOf } from '../model/event.ts'
import type { Become } from '../model/inventory/host.ts'
import type { Entries } from '../model/inventory/schema.ts'
import type { FlagInput, Playbook } from '../model/playbook/playbook.ts'
import { type Duration, milliseconds } from '../shell/duration.ts'
import { Clock } from '../transport/clock.ts'
import type { AskHostKey } from '../transport/ssh2/host-key.ts'
import type { AskPassphrase } from '../transport/ssh2/keys.ts'
import { EventStream } from './event-stream.ts'
import { hookRun } from './hooks.ts'
import { matchHosts } from './limit.ts'
import { sessions, type TransportName, transports } from './sessions.ts'
import { type InventorySource, loadInventory } from './validate.ts'

/** The inventory and the playbook of a run, and its options. */
export interface RunRequest<S extends Entries = Entries> extends SelectOptions {
  readonly inventory: InventorySource<S>
  readonly playbook: Playbook<S>
  /** The options of the playbook: `{ release: 'v42' }` is `--release v42`. @default none */
  readonly options?: FlagInput
  /** Hosts and groups, separated by commas, with `*` and `?`; `!` excludes: `web,!web2`. @default all hosts */
  readonly limit?: string
  /** True to read the texts of files that change: the events of their steps then have the lines of before and after. @default false */
  readonly diff?: boolean
  /** Stops the run: steps in progress are finished, drained hosts return to service, and nothing else starts. */
  readonly signal?: AbortSignal
  /** The time to wait for a host that another run has locked. @default 0: such a host is unreachable at once */
  readonly wait?: Duration
  /** The maximum number of hosts in progress. With more hosts, sessions are closed after each turn. @default 100 */
  readonly forks?: number
  /** Asked before each step that would change something. @default no confirmation */
  readonly confirm?: Confirm
  readonly connection?: ConnectionOptions
}

/** The connections to hosts. The inventory has the addresses, users and keys. */
export interface ConnectionOptions {
  /** For hosts without `ssh.transport` in the inventory. @default 'ssh2' */
  readonly transport?: TransportName
  /** Takes precedence over `become` of the inventory. */
  readonly become?: Become
  /** Multiplies all time limits; overrides `timeouts.factor` of the inventory. */
  readonly timeoutFactor?: number
  /** `accept-new` adds unknown host keys to known_hosts; a changed key is always rejected. @default unknown keys are rejected */
  readonly hostKeys?: 'accept-new'
  /** Asked whether an unknown host key is trusted, for one host at a time. @default it is not */
  readonly askHostKey?: AskHostKey
  /** Asked once for the passphrase of each encrypted key that is needed. @default such keys are not used */
  readonly askPassphrase?: AskPassphrase
  /** Receives warnings about hosts and hooks. @default ignored */
  readonly warn?: (text: string) => void
}

/** A run in progress. It yields its events to one reader; without a reader it runs all the same. */
export interface Run extends AsyncIterable<RunEvent> {
  /**
   * Available when the run has ended. Failures of hosts are part of the result.
   *
   * @throws Problem for an error that was found before any host was changed
   */
  readonly result: Promise<RunResult>
}

/** The result of a run that has ended. */
export interface RunResult {
  readonly status: RunStatus
  readonly summary: Summary
  /** The state of the hosts before the run. {@link apply} compares it. It contains no secrets and no file contents. */
  readonly plan: PlanContent
}

/**
 * Runs a playbook: reads all hosts, then applies the plays in order.
 *
 * @example
 * const running = run({ inventory: prod, playbook: sitePlaybook, limit: 'web' })
 * for await (const event of running) if (event.kind === 'failed') console.error(event.host, event.problem.message)
 * const { status } = await running.result
 */
export function run<S extends Entries>(request: RunRequest<S>): Run {
  return start('apply', request)
}

/**
 * Reads all hosts and returns the changes that a run would make. It changes nothing.
 *
 * @example
 * const { status, plan: content } = await plan({ inventory: prod, playbook: sitePlaybook }).result
 */
export function plan<S extends Entries>(request: RunRequest<S>): Run {
  return start('plan', request)
}

/**
 * Runs a playbook if the hosts are still in the state of the plan.
 *
 * @param expected the plan of a {@link RunResult}; the playbook, its options and the selection of steps must be the same
 * @example
 * const { plan: reviewed } = await plan({ inventory: prod, playbook: sitePlaybook }).result
 * await apply(reviewed, { inventory: prod, playbook: sitePlaybook }).result
 */
export function apply<S extends Entries>(expected: PlanContent, request: RunRequest<S>): Run {
  return start('apply', request, { ...expected, partly: request.limit !== undefined })
}

function start<S extends Entries>(mode: Mode, request: RunRequest<S>, expect?: ExpectedPlan): Run {
  const events = new EventStream()
  const result = runRequest(mode, request, { expect, emit: (event) => events.push(event) })
  // Also marks a rejection as handled for callers that only read the events.
  result.then(
    () => events.end(),
    (error: unknown) => events.end(error),
  )
  return { result, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() }
}

async function runRequest<S extends Entries>(
  mode: Mode,
  request: RunRequest<S>,
  { expect, emit }: { readonly expect: ExpectedPlan | undefined; readonly emit: (event: RunEvent) => void },
): Promise<RunResult> {
  const { playbook, options = {}, diff = false, limit, wait, signal, confirm, connection = {} } = request
  const { tags, skipTags, startAt, forks } = request
  const inventory = await loadInventory(request.inventory)
  const { warn = () => {} } = connection
  const hooks = hookRun(inventory.hooks, { mode, warn })
  const result = await runToResult(
    {
      ...{ mode, inventory, diff, forks },
      playbook: { ...playbook, plays: (values) => playbook.plays(values, options) },
      select: { ...(tags && { tags }), ...(skipTags && { skipTags }), ...(startAt !== undefined && { startAt }) },
      ...(limit !== undefined && { limit: matchHosts(limit, inventory.hosts) }),
      ...(wait !== undefined && { wait: milliseconds(wait) }),
      ...(signal && { stop: signal }),
      ...(confirm && { confirm }),
      ...(expect && { expect }),
    },
    {
      ...{ open: opener(connection), needsPlan: true },
      emit: (event) => {
        hooks?.emit(event)
        emit(event)
      },
    },
  )
  await hooks?.end(result.summary)
  return result
}

/**
 * One run of the engine with its result.
 *
 * @param needsPlan false to leave the plan of the result empty: it takes a digest of each state
 */
export async function runToResult<S extends Entries>(
  options: Parameters<typeof runEngine<S>>[0],
  { needsPlan, ...tools }: Parameters<typeof runEngine>[1] & { readonly needsPlan: boolean },
): Promise<RunResult> {
  let content: PlanContent = { hosts: {} }
  const onPlan = (found: PlanContent) => {
    content = found
  }
  const summary = await runEngine({ ...options, ...(needsPlan && { onPlan }) }, tools)
  return { status: statusOf(summary), summary, plan: content }
}

function opener({ transport, become = {}, timeoutFactor, hostKeys, ...asked }: ConnectionOptions): OpenSession {
  const { askHostKey: ask, askPassphrase: passphrase, warn = () => {} } = asked
  const clock = new Clock()
  const transportOf = transports({ clock, warn, ask, passphrase, ...(hostKeys && { hostKeys }) }, transport)
  return sessions(transportOf, become, { clock, warn, ...(timeoutFactor !== undefined && { timeoutFactor }) })
}
