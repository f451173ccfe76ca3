import type { Problem } from '../problem.ts'
import type { Read } from './read.ts'

/** The difference between the current state of a host and the declared state. */
export interface Diff {
  readonly action: Action
  readonly fields: readonly FieldChange[]
  /** The changed texts, if there are any. */
  readonly texts?: readonly TextChange[]
  /**
   * The reason why the change cannot be applied in the current state of the host. An earlier step may solve it; otherwise the step fails.
   */
  readonly problem?: Problem
  /** The changes of the parts, if the step has several. */
  readonly parts?: readonly { readonly name: string; readonly difference: Diff }[]
}

export type Action = 'create' | 'change' | 'remove' | 'run' | 'install' | 'start' | 'stop' | 'restart' | 'reboot'

export interface FieldChange {
  readonly name: string
  readonly from?: string
  readonly to: string
}

export interface TextChange {
  readonly path: string
  /** Reads the current text from the host; only used if diffs are shown. */
  readonly before: Read<string>
  /** The declared text; undefined if it is secret or not text. */
  readonly after: string | undefined
  /** Replaces a text that cannot be shown: `binary, 40 → 48 bytes, sha256 1f2e…`. @default a note that it is secret */
  readonly instead?: string
}

/**
 * Compares declared values with the current ones.
 *
 * @param have undefined if the thing does not exist
 * @returns undefined if nothing differs
 * @example compare({ mode: '0644' }, { mode: '0600' }) // { action: 'change', fields: [{ name: 'mode', from: '0600', to: '0644' }] }
 */
export function compare<W extends Readonly<Record<string, string | number | boolean | undefined>>>(
  want: W,
  have: { readonly [K in keyof W]?: W[K] | undefined } | undefined,
): Diff | undefined {
  const fields: FieldChange[] = []
  for (const [name, to] of Object.entries(want)) {
    const from = have?.[name]
    if (to === undefined || from === to) continue
    fields.push({ name, to: String(to), ...(from === undefined ? {} : { from: String(from) }) })
  }
  if (fields.length === 0 && have !== undefined) return undefined
  return { action: have === undefined ? 'create' : 'change', fields }
}
