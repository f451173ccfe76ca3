import { Problem } from '../model/problem.ts'

/** The host was reached, but did not give a shell of the wanted user. */
export class BecomeFailed extends Problem {}
