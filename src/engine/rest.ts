import type { Ask } from '../model/ask.ts'
import type { Act, Course } from './course.ts'

/** What a play asks its hosts to find out whether they serve anybody. */
export function restAsks({ play: { isIdle }, hosts }: Act): readonly Ask[] {
  return isIdle ? hosts.map((host) => ({ host, question: isIdle })) : []
}

/** Whether all hosts of a play serve nobody. One that was changed since it was asked, or never answered, may serve somebody. */
export function areAtRest(act: Act, { fleet: { answers } }: Pick<Course, 'fleet'>): boolean {
  const asks = restAsks(act)
  return asks.length > 0 && asks.every((one) => answers.get(one) === true)
}
