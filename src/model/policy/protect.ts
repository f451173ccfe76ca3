import type { Step } from '../resource/step.ts'

/**
 * A step whose thing must not be lost. It may still be created, installed or started, and its owner, group and mode may change. Any other
 * change of it is refused, and so is a step that removes it. `lift` in the waivers of the inventory allows that for a time.
 *
 * @param reason is part of the message
 * @example protect(directory('/srv/uploads'), 'the only copy of the uploads')
 */
export function protect<S extends Step>(step: S, reason: string): S {
  return Object.freeze({ ...step, protection: reason })
}
