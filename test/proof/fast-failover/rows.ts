import type { Lab } from '../../../src/lab/index.ts'
import { killPatroni, patchCluster } from '../../operations/automatic-accidents.ts'
import { type Accident, accident, cutOff, during, frozen, pause } from '../../operations/fast-failover-accidents.ts'

export interface FastRow {
  readonly name: string
  readonly event: string
  readonly limit: string
  readonly times: number
  readonly setUp?: (lab: Lab) => Promise<unknown>
  readonly act: (lab: Lab) => Promise<Accident>
  readonly tearDown?: (lab: Lab) => Promise<unknown>
  readonly holds: (seen: Accident) => boolean
}

const FAST = '≤ 8 s without a write, 0 lost'
const fast = ({ gap, lost, moved, deleted }: Accident) => gap <= 8_000 && lost === 0 && moved && deleted === 1
/** A control: the lease expires by itself. */
const WITHOUT = '> 15 s without a write, 0 lost'
const expired = ({ gap, lost, moved, deleted }: Accident) => gap > 15_000 && lost === 0 && moved && deleted === 0
const SAME = 'no failover, no key deleted, 0 lost'
const untouched = ({ lost, moved, deleted }: Accident) => lost === 0 && !moved && deleted === 0

export function rows({ times, slow }: { readonly times: number; readonly slow: number }): readonly FastRow[] {
  const few = Math.min(times, 3)
  const without = {
    setUp: (lab: Lab) => on(lab, 'witness1', 'systemctl stop provision-fast-failover'),
    tearDown: (lab: Lab) => on(lab, 'witness1', 'systemctl start provision-fast-failover'),
  }
  const paused = {
    setUp: (lab: Lab) => setPause(lab, true),
    tearDown: (lab: Lab) => setPause(lab, null),
  }
  const host = { begin: (lab: Lab, name: string) => lab.slow(name, 5), end: (lab: Lab, name: string) => lab.fast(name) }
  return [
    { name: 'frozen', event: "the primary's host frozen and thawed", limit: FAST, times, act: frozen, holds: fast },
    {
      name: 'cut',
      event: "the primary's host cut off and connected again",
      limit: FAST,
      times,
      act: cutOff,
      holds: fast,
    },
    {
      ...{ name: 'frozen-control', event: 'control: frozen without the option', limit: WITHOUT, times: few },
      ...{ ...without, act: frozen, holds: expired },
    },
    {
      ...{ name: 'cut-control', event: 'control: cut off without the option', limit: WITHOUT, times: few },
      ...{ ...without, act: cutOff, holds: expired },
    },
    {
      ...{ name: 'paused', event: 'frozen for 15 s while failover is paused', limit: SAME, times: few, ...paused },
      act: (lab) => during(lab, 15, { begin: (name) => lab.freeze(name), end: (name) => lab.thaw(name) }),
      holds: untouched,
    },
    {
      ...{ name: 'patroni', event: "the primary's Patroni killed alone", limit: SAME, times: few },
      act: (lab) => accident(lab, (name) => killPatroni(lab, name).then(() => pause(25_000))),
      holds: untouched,
    },
    {
      ...{ name: 'patroni-stays', event: 'Patroni killed and not started again for 40 s', times: few },
      limit: 'no key deleted, 0 lost',
      act: (lab) => accident(lab, (name) => stopped(lab, name)),
      holds: ({ lost, deleted }) => lost === 0 && deleted === 0,
    },
    {
      ...{ name: 'slow-witness', event: `the witness with 5 % of a core for ${slow} s`, limit: SAME, times: 1 },
      act: (lab) =>
        during(lab, slow, { begin: () => host.begin(lab, 'witness1'), end: () => host.end(lab, 'witness1') }),
      holds: untouched,
    },
    {
      ...{ name: 'slow-primary', event: `the primary with 5 % of a core for ${slow} s`, limit: SAME, times: 1 },
      act: (lab) => during(lab, slow, { begin: (name) => host.begin(lab, name), end: (name) => host.end(lab, name) }),
      holds: untouched,
    },
  ]
}

/** Sets or ends the pause of automatic failover, and waits until each Patroni has read it. */
async function setPause(lab: Lab, value: true | null): Promise<void> {
  await patchCluster(lab, 'db1', { pause: value })
  await pause(6_000)
}

/** Patroni does not start again until its lease has expired. */
async function stopped(lab: Lab, host: string): Promise<void> {
  const dropIn = '/run/systemd/system/patroni.service.d'
  await on(
    lab,
    host,
    `mkdir -p ${dropIn} && printf '[Service]\\nRestart=no\\n' >${dropIn}/zz-proof.conf && systemctl daemon-reload`,
  )
  await killPatroni(lab, host)
  await pause(40_000)
  await on(lab, host, `rm -r ${dropIn}; systemctl daemon-reload; systemctl start patroni`)
}

async function on(lab: Lab, host: string, command: string): Promise<void> {
  const { code, stdout, stderr } = await lab.exec(host, command)
  if (code !== 0) throw new Error(`${host}: ${command}: ${stderr || stdout}`)
}
