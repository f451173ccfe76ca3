import { Problem } from '../model/problem.ts'

/** The run was stopped before the host was connected. */
export class Stopped extends Problem {
  constructor() {
    super('The run was stopped before the host was connected')
  }
}

/** @throws Stopped */
export function refuseStopped(stop: AbortSignal | undefined): void {
  if (stop?.aborted) throw new Stopped()
}
