import type { Diff } from '../../model/resource/diff.ts'
import type { Step } from '../../model/resource/step.ts'
import { describeStep } from '../errors/step-errors.ts'
import type { FoundChange, TurnSteps } from './turn.ts'

/** A change that the protection of a step does not allow. */
export interface Violation {
  readonly found: FoundChange
  /** The protected step: its kind and name. */
  readonly step: string
  readonly message: string
}

/**
 * The changes that replace or remove what one of these steps protects.
 *
 * @param changes those of the same host
 */
export function violationsOf(steps: TurnSteps['steps'], changes: readonly FoundChange[]): readonly Violation[] {
  const all = steps.flatMap(({ expanded }) => protectedOf(expanded.step).map((step) => ({ step, expanded })))
  return all.flatMap(({ step, expanded }) =>
    changes.flatMap((found) => {
      const lost = found.expanded === expanded ? ownLoss(step, found) : lossBy(found, step)
      if (lost === undefined) return []
      return [{ found, step: titleOf(step), message: `${lost}, which is protected: ${step.protection ?? ''}` }]
    }),
  )
}

/** True if the step or one of its parts is protected. */
export function isProtected(step: Step): boolean {
  return protectedOf(step).length > 0
}

/** The step itself, or its parts. */
function protectedOf(step: Step): readonly Step[] {
  return [step, ...(step.parts ?? [])].filter(({ protection }) => protection !== undefined)
}

/** The loss by a change of the step itself. */
function ownLoss(step: Step, { difference, expanded }: FoundChange): string | undefined {
  if (!difference) return undefined
  const part = difference.parts?.find(({ name }) => name === titleOf(step))
  const own = expanded.step === step ? difference : part?.difference
  if (!own || keeps(own)) return undefined
  return `a run would ${own.action} ${titleOf(step)}`
}

/** Actions that lose nothing: the thing does not exist, or does not run. */
const ADDING: ReadonlySet<string> = new Set(['create', 'install', 'start'])
const ACCESS: ReadonlySet<string> = new Set(['owner', 'group', 'mode'])

function keeps({ action, fields, parts = [] }: Diff): boolean {
  if (ADDING.has(action)) return true
  if (action !== 'change' || fields.length + parts.length === 0) return false
  return fields.every(({ name }) => ACCESS.has(name)) && parts.every(({ difference }) => keeps(difference))
}

/** The loss by a change of another step, which removes it or a directory above it. */
function lossBy({ difference, expanded }: FoundChange, step: Step): string | undefined {
  if (!difference || step.on?.name !== expanded.step.on?.name) return undefined
  const removed = removedThings(expanded.step, difference)
  const path = pathOf(step)
  const kept = step.kind === 'package' ? packagesOf(step) : path === undefined ? [] : [path]
  const isLost = kept.some((thing) => removed.some((one) => thing === one || thing.startsWith(`${one}/`)))
  return isLost ? `${describeStep(expanded)} would remove ${titleOf(step)}` : undefined
}

/** The paths and packages that a change removes. */
function removedThings(step: Step, { action, fields, parts = [] }: Diff): readonly string[] {
  if (step.kind === 'absent package') return fields.map(({ name }) => name)
  const path = pathOf(step)
  if (step.kind === 'tree') return fields.filter(({ to }) => to === 'absent').map(({ name }) => `${path}/${name}`)
  const inParts = (step.parts ?? []).flatMap((part) => {
    const own = parts.find(({ name }) => name === titleOf(part))
    return own ? removedThings(part, own.difference) : []
  })
  const isRemoved = action === 'remove' && step.replace !== undefined && path !== undefined
  return [...(isRemoved ? [path] : []), ...inParts]
}

/** The path that a step sets; undefined for other things. */
function pathOf({ replace, edit, edits, name, on }: Step): string | undefined {
  const own = replace?.path ?? edit?.path ?? edits
  if (own !== undefined || !name.startsWith('/')) return own
  return on ? name.slice(0, -` on ${on.name}`.length) : name
}

function packagesOf({ name, on }: Step): readonly string[] {
  const names = on ? name.slice(0, -` on ${on.name}`.length) : name
  return names.split(', ').map((one) => one.replace(/[=/].*$/, ''))
}

/** As a plan shows it. */
function titleOf({ kind, name }: Step): string {
  return `${kind} ${name}`
}
