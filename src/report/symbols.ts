import type { Paint } from './problem.ts'

/** How lines look: their colours, and what stands before them. */
export interface Style {
  readonly paint: Paint
  readonly symbols: Symbols
}

/** What tells one kind of line from another. */
export type Symbols = Readonly<
  Record<'changed' | 'planned' | 'unsure' | 'failed' | 'ok' | 'open' | 'begun' | 'note', string>
>

/** For eyes. */
export const SYMBOLS: Symbols = {
  ...{ changed: '✓', planned: '~', unsure: '?', failed: '✗' },
  ...{ ok: '=', open: '?', begun: '…', note: '·' },
}

/** For ears: a screen reader says the names of symbols, or nothing at all. */
export const SCREEN_READER_LABELS: Symbols = {
  ...{ changed: 'changed:', planned: 'would change:', unsure: 'may change:', failed: 'failed:' },
  ...{ ok: 'as wanted:', open: 'may change:', begun: 'begun:', note: 'note:' },
}
