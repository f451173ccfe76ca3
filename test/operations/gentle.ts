import type { LoadOptions, Seen } from '../proof/load.ts'

/** A client that leaves the machine to the system which is looked at. */
export const GENTLE: LoadOptions = {
  // None of the commands outlasts it.
  seconds: 1_800,
  pace: { newGet: 1000 / 150, newPost: 1000 / 250, keptGets: 2, keptPosts: 2, pause: 50 },
  // Others share the machine, and a slow answer is one.
  patience: 20_000,
}

/** One line for each request without a good answer: when, what, and what came instead. */
export function failing({ failed, unknown }: Seen): readonly string[] {
  return [...failed, ...unknown]
    .sort((a, b) => a.begun - b.begun)
    .map(({ lane, begun, outcome }) => `${new Date(begun).toISOString()} ${lane}: ${outcome}`)
}
