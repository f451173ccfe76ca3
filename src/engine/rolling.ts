import type { Host } from '../model/host.ts'
import { batches, type Play } from '../model/play.ts'
import { tried } from '../model/probe.ts'
import { milliseconds } from '../text/duration.ts'
import { Unreachable } from '../transport/unreachable.ts'
import { converge } from './converge.ts'
import type { Act, Course } from './course.ts'
import { unhealthy } from './failures.ts'
import type { Member } from './member.ts'
import { type Survey, survey } from './survey.ts'
import { problemOf, type Turn } from './turn.ts'

/** After this long, what was read of a host is read again before it is acted on. */
const STALE_AFTER = 10_000

/** A play over its hosts, batch by batch. A failure in a play with `serial` leaves the batches after it alone. */
export async function runPlay(act: Act, course: Course): Promise<void> {
  const { play, hosts } = act
  const { members, emit } = course
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const waiting = batches(hosts, play.serial).map((batch) => [...batch])
  while (waiting.length > 0) {
    const batch = waiting.shift() ?? []
    await Promise.all(batch.map((host) => takeTurn(host, act, course)))
    const broken = batch.filter(({ name }) => members.get(name)?.problem ?? !members.has(name))
    const rest = waiting.flat()
    if (broken.length > 0 && play.serial && rest.length > 0) {
      for (const { name } of rest) skip(members.get(name))
      emit({
        kind: 'skipped',
        play: play.label,
        hosts: rest.map(({ name }) => name),
        why: `${broken.map(({ name }) => name).join(', ')} failed in this play`,
      })
      return
    }
  }
}

function skip(member: Member | undefined): void {
  if (member) member.skipped++
}

async function takeTurn(host: Host, act: Act, course: Course): Promise<void> {
  const member = course.members.get(host.name)
  if (!member) return
  if (member.problem || course.stop.aborted) return skip(member)
  const { play } = act
  const { emit, fleet } = course
  const before = member.changed
  try {
    const found = await current(member, act, course)
    await turn(found, host, { play: play.label, member, emit, diff: course.diff, stop: course.stop })
  } catch (error) {
    member.problem = problemOf(error, host.name)
    if (error instanceof Unreachable) fleet.lost(host.name, error)
    else emit({ kind: 'failed', play: play.label, host: host.name, problem: member.problem })
  }
  emit({
    kind: 'turned',
    play: play.label,
    host: host.name,
    changed: member.changed - before,
    failed: member.problem !== undefined,
  })
}

async function turn(found: Survey, host: Host, turn: Turn): Promise<void> {
  const { member, emit, play: label } = turn
  const { play } = found
  emit({ kind: 'turn', play: label, host: host.name, steps: found.examined.length })
  const began = member.version
  await converge(found, turn)
  if (play.healthy && member.version !== began) await gate(play.healthy(host), turn)
}

/** The survey of this host for this play, made anew when something has changed since, or when it is old and there is something to do. */
async function current(
  member: Member,
  { play, steps }: Act,
  { surveys, members, fleet }: Course,
): Promise<Survey> {
  const found = surveys.get(member.name)?.find((one) => one.play === play)
  if (found && !isStale(found, member, members)) return found
  for (const { host } of found?.asks ?? []) fleet.answers.forget(host.name)
  const [anew] = await survey(member, [[play, steps.get(member.name)]], {
    answers: fleet.answers,
    inquire: (asks) => fleet.inquire(asks),
  })
  if (!anew) throw new RangeError(`no survey of ${member.name}`)
  return anew
}

function isStale(
  { version, asks, at, examined }: Survey,
  member: Member,
  members: ReadonlyMap<string, Member>,
): boolean {
  if (version !== member.version) return true
  if (asks.some(({ host }) => (members.get(host.name)?.version ?? 0) > 0)) return true
  return examined.some(({ difference }) => difference) && Date.now() - at > STALE_AFTER
}

async function gate(
  probe: ReturnType<NonNullable<Play['healthy']>>,
  { member, emit, play }: Turn,
): Promise<void> {
  emit({ kind: 'waiting', play, host: member.name, for: probe.label })
  const script = {
    script: tried(probe),
    mode: 'isolated',
    timeout: milliseconds(probe.within) + 10_000,
  } as const
  const [result] = await member.session.run([script])
  if (result && result.code !== 0) throw unhealthy(member, probe.label, { script, result })
}
