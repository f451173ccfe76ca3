import type { Paint } from './problem.ts'

/** How lines look: their colours, and what stands before them. */
export interface Look {
  readonly paint: Paint
  readonly signs: Signs
}

/** What tells one kind of line from another. */
export type Signs = Readonly<
  Record<'changed' | 'planned' | 'unsure' | 'failed' | 'ok' | 'open' | 'begun' | 'note', string>
>

/** For eyes. */
export const SIGNS: Signs = {
  ...{ changed: '✓', planned: '~', unsure: '?', failed: '✗' },
  ...{ ok: '=', open: '?', begun: '…', note: '·' },
}

/** For ears: a screen reader says the names of signs, or nothing at all. */
export const WORDS: Signs = {
  ...{ changed: 'changed:', planned: 'would change:', unsure: 'may change:', failed: 'failed:' },
  ...{ ok: 'as wanted:', open: 'may change:', begun: 'begun:', note: 'note:' },
}
