import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { elapsed, milliseconds } from '../../src/shell/duration.ts'
import { noHosts } from '../integration/support.ts'
import { type Failure, Load } from '../proof/load.ts'
import { nothingFailed, pause, type Row, reported } from '../proof/row.ts'
import { ROWS } from '../proof/rows.ts'
import { fixed, Site } from '../proof/site.ts'
import { record } from '../support/results.ts'
import { randomFrom } from './random.ts'
import { outgrown, worn } from './wear.ts'

// Runs the rows of the proof repeatedly in random order, on one site without a rebuild, with a client for the whole duration.

const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '1h' },
    /** The seed of the order: the same seed repeats it. */
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    /** True to leave a file behind, delete a note and stop the web servers for a moment: the test must report all three. */
    sabotage: { type: 'boolean', default: false },
  },
})
const why = noHosts()
if (why) {
  console.log(`No soak: ${why}.`)
  process.exit(0)
}
/** A low rate next to the clients of the events. */
const GENTLE = { newGet: 2, newPost: 1, keptGets: 1, keptPosts: 1, pause: 500 }
const TIME = milliseconds(values.for as `${number}m`)
console.log(`A soak of ${elapsed(TIME)}, --seed ${values.seed}`)
const random = randomFrom(Number(values.seed))

let failures = 0
const began = Date.now()
const site = await Site.up('soak', { kept: false })
/** The intervals of events, in which requests may fail. */
const disturbed: { readonly from: number; to: number }[] = []
try {
  await site.must('site')
  await site.healthy()
  const load = await Load.on(site.client, { seconds: TIME / 1000 + 1_800, pace: GENTLE })
  const ends = Date.now() + TIME
  const first = await worn(site)
  let rows: readonly Row[] = []
  for (let n = 0; Date.now() < ends; n++) {
    const [row, ...rest] = rows.length > 0 ? rows : shuffled(ROWS)
    rows = rest
    if (row) await event(row)
    if (values.sabotage && n === 1) await sabotage(load)
    const { left } = await worn(site)
    if (left.length > 0) say('nothing is left on the hosts', false, left.join('; '), 0)
  }
  const seen = await load.end()
  const last = await worn(site)
  const unasked = [...seen.failed, ...seen.unknown].filter(({ begun }) => !disturbed.some(holds(begun)))
  const bad = seen.failed.length + seen.unknown.length
  say(
    'the client from beginning to end: nothing acknowledged is lost, nothing fails while nothing happens',
    seen.lost === 0 && unasked.length === 0,
    `${bad} of ${seen.asked} requests failed or in doubt (${((100 * bad) / seen.asked).toFixed(3)} %), ${unasked.length} of them while nothing happened${words(unasked)}; ${seen.lost} of ${seen.acknowledged} writes lost; longest ${(seen.gap / 1000).toFixed(1)} s without an answer`,
    Date.now() - began,
  )
  const grown = outgrown(first.wear, last.wear)
  say(
    'hosts do not wear',
    grown.length === 0,
    grown.join('; ') || `${JSON.stringify(first.wear)} → ${JSON.stringify(last.wear)}`,
    0,
  )
} finally {
  await site.down({ keep: false })
}
console.log(failures === 0 ? 'All held.' : `${failures} did not hold. The same again: --seed ${values.seed}`)
process.exitCode = failures === 0 ? 0 : 1

async function event(row: Row): Promise<void> {
  const window = { from: Date.now(), to: Number.POSITIVE_INFINITY }
  disturbed.push(window)
  try {
    const figures = await row.run(site)
    await site.healthy()
    say(row.event, row.holds(figures), reported(figures), Date.now() - window.from)
    // An event that must not fail a request must not fail one of this client either.
    if (row.holds === nothingFailed) disturbed.pop()
  } catch (error) {
    say(row.event, false, error instanceof Error ? error.message : String(error), Date.now() - window.from)
    await fixed(site)
  }
  window.to = Date.now() + 1_000
}

async function sabotage({ run }: Load): Promise<void> {
  await site.on('web1', 'touch -d "1 hour ago" /etc/nginx/.provision-left')
  const { primary } = await site.databases()
  await site.query(primary, `delete from notes.note where idempotency_key = '${run}-1'`)
  await pause(2_000)
  await Promise.all(
    ['web1', 'web2'].map((host) =>
      site.on(host, 'systemctl restart nginx; systemctl stop nginx; sleep 2; systemctl start nginx'),
    ),
  )
  await pause(2_000)
}

function say(name: string, good: boolean, said: string, ms: number): void {
  if (!good) failures++
  console.log(`${new Date().toTimeString().slice(0, 8)} ${good ? '✓' : '✗'} ${name} (${elapsed(ms)}). ${said}`)
  record({ suite: 'soak', name, outcome: good ? 'passed' : 'failed', seconds: ms / 1000, said })
}

function holds(at: number) {
  return ({ from, to }: { readonly from: number; readonly to: number }) => at >= from && at <= to
}

function words(some: readonly Failure[]): string {
  const [one] = some
  return one ? `, the first at ${new Date(one.begun).toTimeString().slice(0, 8)}: ${one.lane} ${one.outcome}` : ''
}

function shuffled<T>(all: readonly T[]): readonly T[] {
  return all
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one)
}
