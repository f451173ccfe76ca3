import { killPatroni, killServer, promoted } from '../../operations/automatic-accidents.ts'
import { type Figures, nothingFailed, pause, type Row } from '../row.ts'
import type { Site } from '../site.ts'
import {
  AWAY,
  accident,
  asynchronously,
  type Databases,
  patchAnywhere,
  repaired,
  UNATTENDED,
  withPrimary,
  writesWithin,
  written,
} from './accident.ts'
import { isolated } from './isolated.ts'

type Fault = (site: Site, hosts: Databases) => Promise<unknown>

const LIMIT = '≤ 25 s without a write, 0 lost'
const PAUSED = 'automatic failover is paused'
const ASYNCHRONOUS = 'asynchronous replication, and the replica is cut off for the last seconds'
const STRICT = 'synchronous_mode_strict: writes wait for a replica'

/** Accidents of a database host, its server, its network or its Patroni. */
export const crashRows: readonly Row[] = [
  {
    name: 'automatic-killed',
    event: "the primary's PostgreSQL killed",
    limit: '≤ 5 s without a write, 0 lost',
    holds: writesWithin(5_000),
    operator: 'nothing',
    run: (site) => replaced(site, { fault: ({ lab }, { primary }) => killServer(lab, primary) }),
    control: {
      what: PAUSED,
      run: (site) => away(site, { pause: true }, ({ lab }, { primary }) => killServer(lab, primary)),
    },
  },
  {
    name: 'automatic-off',
    event: "the primary's host powered off, and on",
    limit: LIMIT,
    holds: writesWithin(UNATTENDED),
    operator: 'nothing',
    run: (site) =>
      replaced(site, {
        fault: ({ lab }, { primary }) => lab.kill(primary),
        repair: ({ lab }, { primary }) => lab.start(primary),
      }),
    control: { what: PAUSED, run: (site) => away(site, { pause: true }, ({ lab }, { primary }) => lab.kill(primary)) },
  },
  {
    name: 'automatic-frozen',
    event: "the primary's host frozen, and thawed after the failover",
    limit: LIMIT,
    holds: writesWithin(UNATTENDED),
    operator: 'nothing',
    run: (site) =>
      replaced(site, {
        fault: ({ lab }, { primary }) => lab.freeze(primary),
        repair: ({ lab }, { primary }) => lab.thaw(primary),
      }),
    control: { what: ASYNCHRONOUS, run: (site) => lagging(site) },
  },
  {
    name: 'automatic-cut',
    event: "the primary's host cut off, with a client on its side, and connected again",
    limit: LIMIT,
    holds: writesWithin(UNATTENDED),
    operator: 'nothing',
    run: (site) => isolated(site),
    control: {
      what: 'asynchronous replication',
      run: (site) => isolated(site, { asynchronous: true }),
    },
  },
  {
    name: 'automatic-split',
    event: 'the two database hosts cut off from each other, not from the witness',
    limit: LIMIT,
    holds: writesWithin(UNATTENDED),
    operator: 'nothing',
    run: (site) =>
      continued(site, {
        fault: ({ lab }) => lab.split('db1', 'db2'),
        repair: ({ lab }) => lab.heal('db1', 'db2'),
      }),
    control: {
      what: STRICT,
      run: (site) => away(site, { synchronous_mode_strict: true }, ({ lab }) => lab.split('db1', 'db2')),
    },
  },
  {
    name: 'automatic-patroni',
    event: "the primary's Patroni killed alone, for longer than its lease",
    limit: '0 failed, same primary',
    holds: (figures) => nothingFailed(figures) && writesWithin(UNATTENDED)(figures),
    operator: 'nothing',
    run: (site) =>
      continued(site, { fault: ({ lab }, { primary }) => killPatroni(lab, primary), repair: () => pause(25_000) }),
    control: { what: 'systemd does not start it again', run: (site) => withoutRestart(site) },
  },
  {
    name: 'automatic-replica',
    event: "the replica's host powered off, and on",
    limit: LIMIT,
    holds: writesWithin(UNATTENDED),
    operator: 'nothing',
    run: (site) =>
      continued(site, {
        fault: ({ lab }, { replica }) => lab.kill(replica),
        repair: ({ lab }, { replica }) => lab.start(replica),
      }),
    control: {
      what: STRICT,
      run: (site) => away(site, { synchronous_mode_strict: true }, ({ lab }, { replica }) => lab.kill(replica)),
    },
  },
]

interface Accident {
  readonly fault: Fault
  /** Ends the fault, after clients have written again. */
  readonly repair?: Fault
}

/** The replica takes over. */
export async function replaced(site: Site, { fault, repair }: Accident): Promise<Figures> {
  return withPrimary(site, await during(site, fault, repair), 'moved')
}

/** The primary stays. */
async function continued(site: Site, { fault, repair }: Accident): Promise<Figures> {
  return withPrimary(site, await during(site, fault, repair), 'same')
}

function during(site: Site, fault: Fault, repair?: Fault) {
  return accident(site, async (hosts, load) => {
    await fault(site, hosts)
    await written(load)
    await repair?.(site, hosts)
  })
}

/** The same accident with other settings, which keep writes away until they are reset. */
export async function away(site: Site, settings: Readonly<Record<string, boolean>>, fault: Fault): Promise<Figures> {
  await patchAnywhere(site.lab, settings)
  await pause(5_000)
  const reset = Object.fromEntries(Object.keys(settings).map((name) => [name, null]))
  return accident(site, async (hosts) => {
    await fault(site, hosts)
    await pause(AWAY)
    await patchAnywhere(site.lab, reset)
    await repaired(site)
  })
}

/** The replica lacks the last writes of a primary that freezes. */
async function lagging(site: Site): Promise<Figures> {
  const seen = await accident(site, ({ primary, replica }, load) =>
    asynchronously(site, async () => {
      await site.lab.split(primary, replica)
      await pause(2_000)
      await site.lab.freeze(primary)
      await site.lab.heal(primary, replica)
      await written(load)
      await site.lab.thaw(primary)
    }),
  )
  return withPrimary(site, seen, 'moved')
}

async function withoutRestart(site: Site): Promise<Figures> {
  const dropIn = '/run/systemd/system/patroni.service.d'
  const seen = await accident(site, async ({ primary, replica }) => {
    await site.on(
      primary,
      `mkdir -p ${dropIn} && printf '[Service]\\nRestart=no\\n' >${dropIn}/zz-control.conf && systemctl daemon-reload`,
    )
    await killPatroni(site.lab, primary)
    await promoted(site.lab, replica)
    await site.on(primary, `rm -r ${dropIn}; systemctl daemon-reload; systemctl start patroni`)
  })
  return withPrimary(site, seen, 'same')
}
