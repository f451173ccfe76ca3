import type { ProblemParts } from '../model/problem.ts'
import { Unreachable } from './unreachable.ts'

/** The host, or our shell on it, went away while we needed it: what was on its way may have happened or not. */
export class Lost extends Unreachable {
  constructor(host: string, what: string, parts: ProblemParts = {}) {
    super(`lost ${host}: ${what}`, { obstacle: 'lost', ...parts })
  }
}
