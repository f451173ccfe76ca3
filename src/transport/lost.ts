import type { ProblemParts } from '../model/problem.ts'
import { Unreachable } from './unreachable.ts'
import type { Ending } from './wire.ts'

/** The host, or our shell on it, went away while we needed it: what was on its way may have happened or not. */
export class Lost extends Unreachable {
  constructor(host: string, what: string, parts: ProblemParts = {}) {
    super(`lost ${host}: ${what}`, { obstacle: 'lost', ...parts })
  }
}

/** How a shell ended that had been there. */
export function obituary(host: string, { lost, code, signal }: Ending): Lost {
  if (lost !== undefined) return new Lost(host, lost)
  const how = signal
    ? `, killed by SIG${signal.replace(/^SIG/, '')}`
    : code === undefined
      ? ''
      : ` with ${code}`
  return new Lost(host, `its shell ended${how}`, { next: 'Run again: what was done is not done twice' })
}
