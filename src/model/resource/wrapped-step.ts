import type { Step } from './step.ts'

/**
 * Allows a step to fail. The run reports the failure and the reason, counts it apart, and goes on with the next step. The failure does not
 * fail the host, so it does not count against `maxFailures` either, and its handlers are not notified. A host that is lost during the step
 * has failed.
 *
 * @param reason why the failure does no harm; it is printed
 * @throws TypeError for an empty reason, and for a step that is made together with others, such as `concat`
 * @example allowFailure(command('warm the cache', sh`app warm`, { unless: sh`app is-warm` }), 'the cache fills on demand')
 */
export function allowFailure(step: Step, reason: string): Step {
  if (reason.trim() === '') throw new TypeError(`allowFailure: ${step.kind} ${step.name} needs a reason`)
  return Object.freeze({ ...alone('allowFailure', step), allowedFailure: reason })
}

interface ThrottleOptions {
  /** Steps with the same lock share the limit, in all plays of the run. @default kind and name of the step */
  readonly lock?: string
}

/**
 * Limits the number of hosts that apply a step at once. The others wait, which the run shows, and read the step again before they apply it.
 *
 * @param limit the number of hosts
 * @throws TypeError for a limit that is not a whole number above 0, for a step with a limit, and for one that is made together with others
 * @example throttle(2, command('fetch the index', sh`app fetch-index`, { creates: '/srv/app/index' }), { lock: 'index server' })
 */
export function throttle(
  limit: number,
  step: Step,
  { lock = `${step.kind} ${step.name}` }: ThrottleOptions = {},
): Step {
  if (!Number.isInteger(limit) || limit < 1)
    throw new TypeError(`throttle: the limit should be a whole number ≥ 1, got ${limit}`)
  if (step.throttle) throw new TypeError(`throttle: ${step.kind} ${step.name} has a limit already`)
  return Object.freeze({ ...alone('throttle', step), throttle: { lock, limit } })
}

/** The step without the parts that apply it together with others. */
function alone(what: string, step: Step): Step {
  const { pool: _pool, ...rest } = step
  if (step.joint || step.flushesHandlers) throw new TypeError(`${what}: ${step.kind} ${step.name} is not applied alone`)
  return rest
}
