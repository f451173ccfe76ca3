import type { Host } from '../model/host.ts'
import { atLeastOne, batches, countOf, type Play } from '../model/play.ts'
import { tried } from '../model/probe.ts'
import { milliseconds } from '../text/duration.ts'
import { Unreachable } from '../transport/unreachable.ts'
import { Bracket } from './bracket.ts'
import { converge } from './converge.ts'
import type { Act, Course } from './course.ts'
import { unhealthy } from './failures.ts'
import type { Fleet } from './fleet.ts'
import { dueHandlers } from './handlers.ts'
import type { Member } from './member.ts'
import { type Survey, survey } from './survey.ts'
import { problemOf, type Turn } from './turn.ts'

/** After this long, what was read of a host is read again before it is acted on. */
const STALE_AFTER = 10_000

/**
 * A play over its hosts: all at once, in batches, or in a window that moves over them. Once more hosts have failed than may, no
 * further ones are begun; a batch that is begun goes to its end.
 */
export async function runPlay(act: Act, course: Course): Promise<void> {
  const { play, hosts } = act
  const { members, emit } = course
  emit({ kind: 'play', play: play.label, hosts: hosts.map(({ name }) => name) })
  const most = play.maxFailures === undefined ? hosts.length : countOf(play.maxFailures, hosts.length)
  const begun = new Set<Host>()
  const failed = () => [...begun].filter(({ name }) => members.get(name)?.problem ?? !members.has(name))
  const goesOn = () => failed().length <= most && course.halted === undefined
  const take = async (host: Host) => {
    begun.add(host)
    await takeTurn(host, act, course)
    if (play.anyFailureStops && failed().length > 0)
      course.halted ??= `${namesOf(failed())} failed in "${play.label}", which ends the run`
  }
  const { window } = play
  for (const batch of window === undefined ? batches(hosts, play.serial) : [hosts]) {
    if (!goesOn()) break
    if (window === undefined) await Promise.all(batch.map(take))
    else await inFlight(batch, atLeastOne(window, hosts.length), { goesOn, take })
  }
  const rest = hosts.filter((host) => !begun.has(host))
  if (rest.length === 0) return
  for (const { name } of rest) {
    const member = members.get(name)
    if (member) member.leftAlone = true
    skip(member)
  }
  const why = course.halted ?? `${namesOf(failed())} failed in this play`
  emit({ kind: 'skipped', play: play.label, hosts: rest.map(({ name }) => name), why })
}

/** So many at a time; the next one when one is done. */
async function inFlight(
  hosts: readonly Host[],
  width: number,
  { goesOn, take }: { readonly goesOn: () => boolean; readonly take: (host: Host) => Promise<void> },
): Promise<void> {
  const waiting = [...hosts]
  const lane = async () => {
    for (let host = waiting.shift(); host; host = goesOn() ? waiting.shift() : undefined) await take(host)
  }
  await Promise.all(hosts.slice(0, width).map(lane))
}

function namesOf(hosts: readonly Host[]): string {
  return hosts.map(({ name }) => name).join(', ')
}

function skip(member: Member | undefined): void {
  if (member) member.skipped++
}

async function takeTurn(host: Host, act: Act, course: Course): Promise<void> {
  const member = course.members.get(host.name)
  if (!member) return
  if (member.problem || member.leftAlone || course.stop.aborted) return skip(member)
  const { play } = act
  const { emit, fleet, diff, stop, confirm } = course
  const before = member.changed
  try {
    const found = await current(member, act, course)
    await bracketed(
      found,
      { play: play.label, member, emit, diff, stop, ...(confirm && { confirm }) },
      course,
    )
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

/** The turn within the play's bracket, where there is one and something is going to change. */
async function bracketed(found: Survey, own: Turn, { fleet }: Course): Promise<void> {
  const { play, examined } = found
  const { member, emit } = own
  const { host } = member
  const steps = examined.map(({ placed }) => placed.step)
  const changes =
    examined.some(({ difference }) => difference) || dueHandlers(steps, new Set(), member.owed).length > 0
  if (!play.around || !changes) return turn(found, host, own)
  const bracket = new Bracket({ around: play.around, host, play: play.label, fleet, emit })
  await bracket.enter()
  try {
    await turn(found, host, own)
  } catch (error) {
    await bracket.leave(error instanceof Unreachable ? 'lost' : 'failed')
    throw error
  }
  await bracket.leave('well')
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
  { surveys, fleet, selection }: Course,
): Promise<Survey> {
  const found = surveys.get(member.name)?.find((one) => one.play === play)
  if (found && !isStale(found, member, fleet)) return found
  for (const { host } of found?.asks ?? []) fleet.answers.forget(host.name)
  const [anew] = await survey(member, [[play, steps.get(member.name)]], {
    answers: fleet.answers,
    inquire: (asks) => fleet.inquire(asks),
    selection,
  })
  if (!anew) throw new RangeError(`no survey of ${member.name}`)
  return anew
}

function isStale({ version, asks, at, examined }: Survey, member: Member, fleet: Fleet): boolean {
  if (version !== member.version) return true
  if (asks.some(({ host }) => fleet.versionOf(host.name) > 0)) return true
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
