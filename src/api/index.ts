/**
 * The engine as a library: it validates, plans and applies playbooks, and reports events as values. It prints nothing and never ends the
 * process.
 *
 * @module provision-ts/engine
 */
export type { PlanContent } from '../engine/plan/plan-file.ts'
export type { Declaration, Explanation, Notifier } from '../engine/read/why.ts'
export type { HostSummary, RunEvent, RunStatus, StepInfo, Summary } from '../model/event.ts'
export { apply, type ConnectionOptions, plan, type Run, type RunRequest, type RunResult, run } from './run.ts'
export { type ValidateRequest, type Validation, validate } from './validate.ts'
export { type WhyRequest, type WhyResult, why } from './why.ts'
