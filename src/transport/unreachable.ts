import { Problem, type ProblemParts } from '../model/problem.ts'

/** Why a host could not be reached, for those who decide what to do about it; the words are for people. */
export type Obstacle =
  | 'address'
  | 'refused'
  | 'no-route'
  | 'timeout'
  /** The other side hung up before it said who it is: too many logins at once, or a ban. Worth another try. */
  | 'dropped'
  | 'lost'
  | 'protocol'
  | 'host-key'
  | 'authentication'
  /** Our own side: ssh_config, a jump that leads back to itself. */
  | 'settings'

export interface UnreachableParts extends ProblemParts {
  readonly obstacle: Obstacle
}

/** We could not get to a host, or lost it: nothing is known about the state it is in, unlike after a step that failed. */
export class Unreachable extends Problem {
  readonly obstacle: Obstacle

  constructor(what: string, { obstacle, ...parts }: UnreachableParts) {
    super(what, parts)
    this.obstacle = obstacle
  }
}
