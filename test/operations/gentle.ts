import type { LoadOptions, Seen } from '../proof/load.ts'

/** A client with a low load, so that the tested system gets the processor. */
export const GENTLE: LoadOptions = {
  // Longer than any of the commands.
  seconds: 1_800,
  pace: { newGet: 1000 / 150, newPost: 1000 / 250, keptGets: 2, keptPosts: 2, pause: 50 },
  // The machine is shared, and a slow answer is still an answer.
  requestTimeout: 20_000,
}

/** One line for each failed request: time, request, and answer. */
export function failing({ failed, unknown }: Seen): readonly string[] {
  return [...failed, ...unknown]
    .sort((a, b) => a.begun - b.begun)
    .map(({ lane, begun, outcome }) => `${new Date(begun).toISOString()} ${lane}: ${outcome}`)
}
