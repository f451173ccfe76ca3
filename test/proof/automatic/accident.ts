import { type Lab, upLab } from '../../../src/lab/index.ts'
import { leaderIn, wholeCluster } from '../../operations/automatic-accidents.ts'
import { other } from '../../operations/automatic-site.ts'
import { Load, type LoadOptions, type Seen } from '../load.ts'
import { type Figures, pause } from '../row.ts'
import type { Site } from '../site.ts'

/** The longest time without a write without an operator, in milliseconds. */
export const UNATTENDED = 25_000

/** The time for which a control waits for a write, in milliseconds: longer than each limit. */
export const AWAY = UNATTENDED + 5_000

/** Mostly writes, at a rate that measures a gap to a tenth of a second and leaves the processor to the hosts. */
export const WRITES: LoadOptions = {
  seconds: 600,
  // A slow answer is still an answer.
  requestTimeout: 15_000,
  pace: { newGet: 4, newPost: 4, keptGets: 1, keptPosts: 2, pause: 60 },
}

/** The hosts of the databases at the beginning of an accident. */
export interface Databases {
  readonly primary: string
  readonly replica: string
}

/** Returns the results of clients during an accident. It ends when the databases are complete again. */
export async function accident(
  site: Site,
  act: (hosts: Databases, load: Load) => Promise<unknown>,
): Promise<Seen & Databases> {
  await wholeCluster(site.lab)
  const primary = await leaderIn(site.lab)
  const hosts = { primary, replica: other(primary) }
  const { seen } = await Load.during(
    site.client,
    async (load) => {
      await load.reaches(100)
      await act(hosts, load)
      await wholeCluster(site.lab)
      await written(load)
    },
    WRITES,
  )
  return { ...seen, ...hosts }
}

/** Waits until clients have written again. Ends after two minutes: the gap is then far above each limit. */
export async function written(load: Load): Promise<void> {
  const before = load.acknowledged.length
  for (let tries = 0; tries < 1_200 && load.acknowledged.length < before + 20; tries++) await pause(100)
}

/** The figures, with the host that is the primary afterwards. @param expected the host that must be it */
export async function withPrimary(
  site: Site,
  { primary, ...seen }: Seen & Databases,
  expected: 'moved' | 'same',
): Promise<Figures> {
  const moved = (await leaderIn(site.lab)) !== primary
  return {
    ...seen,
    besides: { good: moved === (expected === 'moved'), words: moved ? 'the replica took over' : 'same primary' },
  }
}

/** Runs an act with other settings of the cluster, and resets them. */
export async function withCluster<T>(
  site: Site,
  change: Readonly<Record<string, unknown>>,
  reset: Readonly<Record<string, unknown>>,
  act: () => Promise<T>,
): Promise<T> {
  const set = (values: object) => patchAnywhere(site.lab, values)
  await set(change)
  // Each Patroni reads the settings in its next loop.
  await pause(5_000)
  try {
    return await act()
  } finally {
    await set(reset)
  }
}

/** Runs an act while writes do not wait for a replica. The databases are not complete meanwhile. */
export function asynchronously<T>(site: Site, act: () => Promise<T>): Promise<T> {
  return withCluster(site, { synchronous_mode: false }, { synchronous_mode: true }, act)
}

/** Sets them by the first database host that can write to etcd. */
export async function patchAnywhere(lab: Lab, values: object): Promise<void> {
  const body = JSON.stringify(values)
  for (let tries = 0; tries < 60; tries++) {
    for (const host of ['db1', 'db2']) {
      const { code } = await lab
        .exec(host, `PATRONI_TIMEOUT=4 provision-patroni PATCH /config '${body}' | tail -n 1 | grep -qx 200`)
        // The host is off.
        .catch(() => ({ code: 1 }))
      if (code === 0) return
    }
    await pause(500)
  }
  throw new Error(`No database host accepts the settings ${body}`)
}

/** Removes all faults of the lab, and waits until the databases are complete. */
export async function repaired(site: Site): Promise<void> {
  await upLab({ name: site.lab.name })
  await wholeCluster(site.lab)
}

export const writesWithin =
  (ms: number) =>
  ({ writeGap = Number.POSITIVE_INFINITY, lost = 1, besides }: Figures): boolean =>
    writeGap <= ms && lost === 0 && besides?.good !== false
