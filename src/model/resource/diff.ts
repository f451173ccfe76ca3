import type { Problem } from '../problem.ts'
import type { Read } from './read.ts'

/** How what a host has differs from what is wanted. */
export interface Diff {
  readonly action: Action
  readonly fields: readonly FieldChange[]
  /** The texts that change, where there are any to show. */
  readonly texts?: readonly TextChange[]
  /** The reason why it cannot be brought about as the host is now. A step before it may change that; otherwise the step fails. */
  readonly problem?: Problem
  /** What changes together, where one step holds several things. */
  readonly parts?: readonly { readonly name: string; readonly difference: Diff }[]
}

export type Action =
  | 'create'
  | 'change'
  | 'remove'
  | 'run'
  | 'install'
  | 'start'
  | 'stop'
  | 'restart'
  | 'reboot'

export interface FieldChange {
  readonly name: string
  readonly from?: string
  readonly to: string
}

export interface TextChange {
  readonly path: string
  /** Asks the host for the text as it is; only when a person wants to see the diff. */
  readonly before: Read<string>
  /** The wanted text; undefined when it is secret or not text. */
  readonly after: string | undefined
  /** What is said in place of a text that cannot be shown: `binary, 40 → 48 bytes, sha256 1f2e…`. @default that it is secret */
  readonly instead?: string
}

/**
 * The wanted values held against those that are there.
 *
 * @param have undefined when there is nothing yet
 * @returns undefined when nothing differs
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
