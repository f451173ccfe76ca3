import { Problem } from '../model/problem.ts'
import { keyOf } from './bracket.ts'
import type { Course } from './course.ts'
import { asErrand, errands } from './errands.ts'
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
  const { host, label, earlier = false } = one
  const about = { kind: 'bracket', play: '', host, label, owed: earlier } as const
  const byHand = `on ${member.name}: ${undoByHand(one)}`
  if (fleet.unreachable.has(member.name)) return
  const lost = fleet.unreachable.has(host)
  const trouble = lost ? undefined : (await errands(member, [asErrand(undo(one))], fleet)).trouble
  if (!lost && !trouble) {
    member.undos.delete(keyOf(one))
    emit({ ...about, outcome: 'left' })
  } else if (last && earlier) {
    // What this run itself could not close was told when it could not.
    const problem = new Problem(`${host} stays ${label}, since an earlier run`, {
      details: [...(trouble?.lines ?? [`${host} cannot be reached`]), byHand],
      next: 'The next run that finds it tries again; the last line above does so by hand.',
    })
    if (trouble) member.problem ??= problem
    emit({ ...about, outcome: 'stayed', problem })
  }
}
