import { createHash } from 'node:crypto'
import type { ExpandedStep } from '../../model/playbook/steps.ts'
import { InvalidParams, Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'
import { ReadFailure } from '../../model/resource/read.ts'
import { describeStep } from '../errors/step-errors.ts'

/** A step and its current state on a host. */
export interface StepState {
  readonly expanded: ExpandedStep
  /** Undefined in the states of a plan if the step needs no change. */
  readonly have: unknown
  /** Undefined if the step needs no change. */
  readonly difference: Diff | undefined
  /** The reason why the step cannot be applied in the current state; an earlier step may solve it. */
  readonly problem?: Problem
  /** A digest of the state and of the change, for a plan that is saved or compared. */
  readonly seen?: string
}

/** Compares the state of a step on a host. @throws InvalidParams */
export function stepState(host: string, expanded: ExpandedStep, have: unknown): StepState {
  try {
    if (have instanceof ReadFailure) throw have.cause
    const difference = expanded.step.diff(have)
    const problem = difference?.problem && stepProblem(difference.problem, host, expanded)
    return { expanded, have, difference, ...(problem && { problem }) }
  } catch (error) {
    // The run has not started: no host is changed.
    if (error instanceof InvalidParams) throw error
    return { expanded, have, difference: undefined, problem: stepProblem(error, host, expanded) }
  }
}

function stepProblem(error: unknown, host: string, expanded: ExpandedStep): Problem {
  const { source } = expanded.step
  const where = source && { where: source }
  if (error instanceof Problem) {
    const { message, details, next } = error
    return new Problem(`${host}: ${describeStep(expanded)}: ${message}`, {
      ...where,
      details,
      ...(next && { next }),
      cause: error,
    })
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new Problem(`${host}: ${describeStep(expanded)} could not be compared: ${reason}`, { ...where, cause: error })
}

/** Hexadecimal digits of a digest. It is short, so that no secret can be tested against it. */
const DIGITS = 6

export function digestOf({ have, difference }: StepState): string {
  const state = {
    have,
    verb: difference?.action,
    fields: difference?.fields,
    parts: difference?.parts?.map((part) => [part.name, part.difference.fields]),
  }
  return createHash('sha256').update(JSON.stringify(state, plainly)).digest('hex').slice(0, DIGITS)
}

/** For JSON: maps and sets as lists. */
export function plainly(_key: string, value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return [...value]
  return value
}
