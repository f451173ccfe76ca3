import type { Lab } from '../../src/lab/index.ts'
import { leaderIn, promoted, wholeCluster } from './automatic-accidents.ts'
import { other } from './automatic-site.ts'
import { type Load, lostOn, underLoad, writesAgain } from './database-load.ts'

/** The witness deletes no leader key for this time after a deletion, and after its start. */
const GRACE = 31_000

/** The results of clients during an accident of the primary's host. */
export interface Accident extends Load {
  /** True if the replica took over. */
  readonly moved: boolean
  /** The number of acknowledged writes that the primary does not have afterwards. */
  readonly lost: number
  /** The number of leader keys that the witness deleted. */
  readonly deleted: number
}

/** The primary's host freezes, and thaws some seconds after another host is the primary. */
export function frozen(lab: Lab): Promise<Accident> {
  return lostHost(lab, { begin: (host) => lab.freeze(host), end: (host) => lab.thaw(host) })
}

/** The primary's host is cut off, and is connected again some seconds after another host is the primary. */
export function cutOff(lab: Lab): Promise<Accident> {
  return lostHost(lab, { begin: (host) => lab.cut(host), end: (host) => lab.uncut(host) })
}

interface Fault {
  readonly begin: (host: string) => Promise<unknown>
  readonly end: (host: string) => Promise<unknown>
}

function lostHost(lab: Lab, { begin, end }: Fault): Promise<Accident> {
  return accident(lab, async (primary) => {
    await begin(primary)
    await promoted(lab, other(primary))
    await writesAgain(lab)
    await pause(3_000)
    await end(primary)
  })
}

/** A fault of the primary's host that lasts for a fixed time. */
export function during(lab: Lab, seconds: number, { begin, end }: Fault): Promise<Accident> {
  return accident(lab, async (primary) => {
    await begin(primary)
    await pause(seconds * 1_000)
    await end(primary)
  })
}

/** Runs an accident under load. It ends when both databases are complete again. */
export async function accident(lab: Lab, act: (primary: string) => Promise<unknown>): Promise<Accident> {
  await wholeCluster(lab)
  await pause(await graceLeft(lab))
  const primary = await leaderIn(lab)
  const before = await deletions(lab)
  // Few enough writes to leave the processor to the hosts, and enough to measure a gap to a tenth of a second.
  const load = await underLoad(
    lab,
    async () => {
      await pause(2_000)
      await act(primary)
      await wholeCluster(lab)
      await writesAgain(lab)
    },
    { rest: 100 },
  )
  const now = await leaderIn(lab)
  const lost = await lostOn(lab, now, load)
  return { ...load, moved: now !== primary, lost: lost.length, deleted: (await deletions(lab)) - before }
}

/** The number of leader keys that the witness has deleted. */
export async function deletions(lab: Lab): Promise<number> {
  return (await journal(lab)).filter((line) => line.includes(' Deleted the leader key ')).length
}

/** Milliseconds until the witness may delete a leader key. */
async function graceLeft(lab: Lab): Promise<number> {
  const times = (await journal(lab))
    .filter((line) => / Deleted the leader key | Started /.test(line))
    .map((line) => Number(line.split(' ')[0]) * 1_000)
  return Math.max(0, GRACE - (Date.now() - Math.max(0, ...times)))
}

async function journal(lab: Lab): Promise<readonly string[]> {
  const { stdout } = await lab.exec('witness1', 'journalctl -q --no-pager -o short-unix -u provision-fast-failover')
  return stdout.split('\n')
}

export const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))
