import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { downLab, type Lab } from '../../src/lab/index.ts'
import { elapsed, milliseconds } from '../../src/shell/duration.ts'
import { Desk, eventually, freshLab, noHosts } from '../integration/support.ts'
import { AUTOMATIC_FILES, AUTOMATIC_HOSTS, operateOn, other, rolesIn } from '../operations/automatic-site.ts'
import { lostOn, underLoad } from '../operations/database-load.ts'
import { record } from '../support/results.ts'
import { randomFrom } from './random.ts'

// Loses hosts of an automatic database at random, under load. After each event all acknowledged writes must be there, and the cluster must
// become whole without help.

const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '1h' },
    /** The seed of the order: the same seed repeats it. */
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
  },
})
const why = noHosts()
if (why) {
  console.log(`No soak: ${why}.`)
  process.exit(0)
}
const NAME = 'soak-databases'
const TIME = milliseconds(values.for as `${number}m`)
const random = randomFrom(Number(values.seed))
console.log(`A soak of the databases for ${elapsed(TIME)}, --seed ${values.seed}`)

/** Longer than Patroni needs to replace a primary. */
const LONG = 28_000
const SHORT = 8_000

type Event = (lab: Lab, leader: string) => Promise<unknown>

const EVENTS: Readonly<Record<string, Event>> = {
  'primary off': (lab, leader) => hostOff(lab, leader, LONG),
  'replica off': (lab, leader) => hostOff(lab, other(leader), SHORT),
  'witness off': (lab) => hostOff(lab, 'witness1', SHORT),
  'primary off for a moment': (lab, leader) => hostOff(lab, leader, 1_000),
  'primary frozen': async (lab, leader) => {
    await lab.freeze(leader)
    await pause(LONG)
    await lab.thaw(leader)
  },
  'primary cut off': async (lab, leader) => {
    await lab.cut(leader)
    await pause(LONG)
    await lab.uncut(leader)
  },
  'databases split': async (lab) => {
    await lab.split('db1', 'db2')
    await pause(SHORT)
    await lab.heal('db1', 'db2')
  },
  'server killed': (lab, leader) =>
    lab.exec(leader, 'kill -9 "$(head -n 1 /var/lib/postgresql/17/main/postmaster.pid)"'),
  'Patroni killed': (lab, leader) => lab.exec(leader, 'kill -9 "$(systemctl show -p MainPID --value patroni)"'),
  'all off': async (lab) => {
    await Promise.all(['db1', 'db2', 'witness1'].map((host) => lab.kill(host)))
    for (const host of shuffled(['db1', 'db2', 'witness1'])) await lab.start(host)
  },
}

let failures = 0
let acknowledged = 0
const lab = await freshLab({ name: NAME, hosts: AUTOMATIC_HOSTS, debian: 13 })
const desk = new Desk()
try {
  for (const [path, text] of Object.entries(AUTOMATIC_FILES)) desk.write(path, text)
  const { code, text } = await operateOn(lab, desk.directory, [`${desk.directory}/playbook.ts`])
  if (code !== 0) throw new Error(text)
  await whole()
  const ends = Date.now() + TIME
  let names: readonly string[] = []
  while (Date.now() < ends) {
    const [name = '', ...rest] = names.length > 0 ? names : shuffled(Object.keys(EVENTS))
    names = rest
    await event(name)
  }
} finally {
  desk.remove()
  await downLab(NAME)
}
console.log(
  `${acknowledged} writes acknowledged. ${failures === 0 ? 'All held.' : `${failures} did not hold. The same again: --seed ${values.seed}`}`,
)
process.exitCode = failures === 0 ? 0 : 1

async function event(name: string): Promise<void> {
  const began = Date.now()
  const load = await underLoad(lab, async () => {
    const leader = await whole()
    await EVENTS[name]?.(lab, leader)
    await whole()
    await pause(2_000)
  })
  const lost = await lostOn(lab, await whole(), load)
  acknowledged += load.acknowledged.length
  if (lost.length > 0) failures++
  const said = `${lost.length} of ${load.acknowledged.length} writes lost, ${load.failed.length} requests failed, ${(load.gap / 1000).toFixed(1)} s without a write`
  console.log(`${new Date().toTimeString().slice(0, 8)} ${lost.length === 0 ? '✓' : '✗'} ${name}. ${said}`)
  const outcome = lost.length === 0 ? 'passed' : 'failed'
  record({ suite: 'soak of the databases', name, outcome, seconds: (Date.now() - began) / 1000, said })
}

/** Waits until a primary leads and the replica has each write. @returns the primary */
async function whole(): Promise<string> {
  let name: string | undefined
  await eventually(async () => {
    const { leader, candidate } = await rolesIn(lab)
    name = leader
    return leader !== undefined && candidate === other(leader)
  })
  if (name === undefined) throw new Error('no host leads')
  return name
}

async function hostOff(on: Lab, host: string, ms: number): Promise<void> {
  await on.kill(host)
  await pause(ms)
  await on.start(host)
}

function shuffled<T>(all: readonly T[]): readonly T[] {
  return all
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one)
}
