import type { Step } from '../../../src/model/resource/step.ts'
import type { FileState } from '../../../src/resources/files/edit.ts'
import { entry } from '../kind-row.ts'

/** Applies edits to a content without a host; undefined for a missing file. */
export function editedBytes(before: Buffer | undefined, ...steps: readonly Step[]): Buffer {
  let state: FileState = [before && entry({ size: before.length }), before ?? Buffer.alloc(0)]
  for (const step of steps) {
    if (!step.edit) throw new Error(`${step.kind} is not an edit`)
    if (!step.diff(state)) continue
    const [, content] = step.edit.after(state) as FileState
    state = [entry({ size: content.length }), content]
  }
  const again = steps.filter((step) => step.diff(state)).map(({ name }) => name)
  if (again.length > 0) throw new Error(`a second run changes ${again.join()}`)
  return state[1]
}

export function edited(before: string | undefined, ...steps: readonly Step[]): string {
  return editedBytes(before === undefined ? undefined : Buffer.from(before), ...steps).toString()
}

/** The fields of the change that a step plans for this text. */
export function planned(before: string, step: Step): readonly string[] {
  const found = step.diff([entry({ size: before.length }), Buffer.from(before)])
  return (found?.fields ?? []).map(({ name, from, to }) => `${name}: ${from ?? 'nothing'} → ${to}`)
}
