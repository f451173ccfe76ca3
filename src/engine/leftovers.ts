import { Problem } from '../model/problem.ts'
import { asErrand, errands, keyOf } from './bracket.ts'
import type { Course } from './course.ts'
import type { Member } from './member.ts'
import { type Bracketed, undo, undoByHand } from './undo.ts'

/**
 * Closes the brackets that an earlier run has left open on these hosts. One around a host that cannot be reached stays: nobody
 * knows in which state it is.
 *
 * @param last whether this is the last try of the run, so that what fails is a failure of the host
 */
export async function closeLeftovers(
  members: readonly Member[],
  course: Course,
  { last }: { readonly last: boolean },
): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      for (const one of [...member.undos.values()]) await close(one, member, course, last)
    }),
  )
}

async function close(one: Bracketed, member: Member, { emit, fleet }: Course, last: boolean): Promise<void> {
  const about = { kind: 'bracket', play: '', ...one, owed: true } as const
  const byHand = { details: [`on ${member.name}: ${undoByHand(one)}`] }
  if (fleet.unreachable.has(member.name)) return
  if (fleet.unreachable.has(one.host)) {
    const what = `${one.host} cannot be reached and stays ${one.label}, since an earlier run`
    if (last)
      emit({
        ...about,
        outcome: 'stayed',
        problem: new Problem(what, { ...byHand, next: 'The next run that finds it takes it back.' }),
      })
    return
  }
  const trouble = await errands(member, [asErrand(undo(one))], fleet)
  if (!trouble) {
    member.undos.delete(keyOf(one))
    emit({ ...about, outcome: 'left' })
  } else if (last) {
    member.problem ??= new Problem(`${one.host} stays ${one.label}, since an earlier run`, {
      details: [...trouble.lines, ...byHand.details],
      next: 'The next run tries again; the last line above does so by hand.',
    })
    emit({ ...about, outcome: 'stayed', problem: member.problem })
  }
}
