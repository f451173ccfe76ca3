import type { HostSummary, RunEvent, Summary } from '../model/event.ts'
import { statusOf } from '../model/event.ts'
import type { Hook, HookChange, HookHost, HookProblem, HookReport, Hooks, TimedEvent } from '../model/hook.ts'
import { milliseconds } from '../shell/duration.ts'
import { Secret } from '../shell/secret.ts'

export interface HookOptions {
  readonly mode: HookReport['mode']
  /** The command line. */
  readonly command?: string
  /** Receives a message about each hook that fails. */
  readonly warn: (text: string) => void
}

/** Undefined without hooks. */
export function hookRun(hooks: Hooks, options: HookOptions): HookRun | undefined {
  return Object.values(hooks).some((one) => one !== undefined) ? new HookRun(hooks, options) : undefined
}

/** Records a run for the hooks of its inventory, and calls them at its end. */
export class HookRun {
  readonly #hooks: Hooks
  readonly #options: HookOptions
  readonly #began = Date.now()
  readonly #events: TimedEvent[] = []

  constructor(hooks: Hooks, options: HookOptions) {
    this.#hooks = hooks
    this.#options = options
  }

  readonly emit = (event: RunEvent): void => {
    // Progress messages may be many, and no hook needs them.
    if (event.kind !== 'progress') this.#events.push({ at: Date.now(), event })
  }

  /** Calls the hooks that the result of the run asks for. It never throws. */
  async end(summary: Summary): Promise<void> {
    const report = this.#report(summary)
    const { hosts, status, mode, changes } = report
    const failed =
      status === 'interrupted' ||
      status === 'refused' ||
      hosts.some(({ outcome }) => outcome === 'failed' || outcome === 'unreachable')
    const events: readonly (keyof Hooks)[] = [
      ...(mode === 'apply' && changes.length > 0 ? (['onChange'] as const) : []),
      ...(failed ? (['onFailure'] as const) : []),
      'onEnd',
    ]
    await Promise.all(events.map((event) => callHooks(this.#hooks[event], { ...report, event }, this.#options.warn)))
  }

  /** Calls the hooks of drift. It never throws. @param changes the differences, each with its cause */
  async drifted(summary: Summary, changes: readonly HookChange[]): Promise<void> {
    const report = { ...this.#report(summary), changes: changes.map(masked), event: 'onDrift' as const }
    await callHooks(this.#hooks.onDrift, report, this.#options.warn)
  }

  #report(given: Summary): Omit<HookReport, 'event'> {
    const { mode, command } = this.#options
    // Policies are about runs that change something.
    const summary = mode === 'drift' ? { ...given, refused: false } : given
    const counted = mode === 'apply' ? 'changed' : 'planned'
    const events = this.#events
    return {
      ...{ mode, status: statusOf(summary), began: new Date(this.#began).toISOString(), ms: Math.round(summary.ms) },
      ...(command !== undefined && { command: Secret.redact(command) }),
      hosts: summary.hosts.map(hostOf),
      changes: events.flatMap(({ event }) => changesIn(event, counted)).map(masked),
      problems: problemsIn(events),
      events,
    }
  }
}

function hostOf({ host, changed, failed, unreachable, skipped, excluded }: HostSummary): HookHost {
  const outcome = unreachable
    ? 'unreachable'
    : failed > 0
      ? 'failed'
      : excluded !== undefined
        ? 'excluded'
        : skipped > 0
          ? 'skipped'
          : changed > 0
            ? 'changed'
            : 'ok'
  return { host, outcome, changed }
}

/** @param outcome of the steps that count: a run that policies refuse has planned changes */
function changesIn(event: RunEvent, outcome: 'changed' | 'planned'): readonly HookChange[] {
  if (event.kind !== 'step' || event.outcome !== outcome) return []
  const { host, play, step, difference } = event
  const parts = (difference.parts ?? []).flatMap((part) =>
    part.difference.fields.map((field) => ({ ...field, name: `${part.name}: ${field.name}` })),
  )
  return [
    {
      ...{ host, play, step: `${step.kind} ${step.name}`, roles: step.roles },
      ...{ action: difference.action, fields: [...difference.fields, ...parts] },
    },
  ]
}

/** Each problem once: a failed step and the failed host report the same one. */
function problemsIn(events: readonly TimedEvent[]): readonly HookProblem[] {
  const found = new Map<string, HookProblem>()
  for (const { event } of events) {
    if (!('problem' in event) || !event.problem) continue
    if (event.kind === 'step' && event.outcome === 'allowed') continue
    const { message, next } = event.problem
    found.set(`${event.host} ${message}`, masked({ host: event.host, message, ...(next !== undefined && { next }) }))
  }
  return [...found.values()]
}

/** Plain data with secrets masked. */
function masked<T extends object>(value: T): T {
  // The same data, with other texts.
  return JSON.parse(
    JSON.stringify(value, (_key, one: unknown) => (typeof one === 'string' ? Secret.redact(one) : one)),
  ) as T
}

async function callHooks(
  hooks: Hook | readonly Hook[] | undefined,
  report: HookReport,
  warn: (text: string) => void,
): Promise<void> {
  const all = hooks === undefined ? [] : 'call' in hooks ? [hooks] : hooks
  await Promise.all(
    all.map(async (hook) => {
      const reason = await failureOf(hook, report)
      if (reason !== undefined)
        warn(Secret.redact(`${report.event}: ${hook.name} failed: ${reason}. The result of the run is not affected.`))
    }),
  )
}

/** Calls a hook. @returns the reason of a failure */
async function failureOf({ call, timeout }: Hook, report: HookReport): Promise<string | undefined> {
  const control = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve(`it took longer than ${timeout}`)
      control.abort()
    }, milliseconds(timeout))
  })
  try {
    const called = Promise.resolve(call(report, control.signal)).then(() => undefined)
    // After the time limit, its failure is that of the abort.
    called.catch(() => {})
    return await Promise.race([called, limit])
  } catch (error) {
    return reasonOf(error)
  } finally {
    clearTimeout(timer)
  }
}

/** The cause of a failed `fetch` is in its `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message
}
