import { parseArgs } from 'node:util'
import { downLab, type Lab, upLab } from '../../../src/lab/index.ts'
import { Desk, freshLab, noHosts } from '../../integration/support.ts'
import { leaderIn } from '../../operations/automatic-accidents.ts'
import { AUTOMATIC_FILES, AUTOMATIC_HOSTS, operateOn } from '../../operations/automatic-site.ts'
import { sql } from '../../operations/database-load.ts'
import type { Accident } from '../../operations/fast-failover-accidents.ts'
import { record } from '../../support/results.ts'
import { type FastRow, rows } from './rows.ts'

// Proves that a lost primary is replaced within 8 s by the option `fastFailover`, and that nothing else is. The smallest set of hosts.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** The name of the lab. */
    lab: { type: 'string', default: 'proof-fast' },
    /** True to use a lab that is up as it is, and to leave it up. */
    keep: { type: 'boolean', default: false },
    /** The repetitions of a freeze and of a cut. */
    times: { type: 'string', default: '20' },
    /** The duration of a row with a slow host, in seconds. */
    slow: { type: 'string', default: '300' },
  },
})
const all = rows({ times: Number(values.times), slow: Number(values.slow) })
const strange = positionals.filter((word) => !all.some(({ name }) => name === word))
if (strange.length > 0)
  complain(`There is no ${strange.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}.`)
const why = noHosts()
if (why) complain(`Nothing can be proved here: ${why}.`)

const desk = new Desk()
for (const [path, text] of Object.entries(AUTOMATIC_FILES)) desk.write(path, text)
const lab = await (values.keep
  ? upLab({ name: values.lab })
  : freshLab({ name: values.lab, hosts: AUTOMATIC_HOSTS, debian: 13 }))
const lines: string[] = []
let failed = false
try {
  await converged()
  for (const row of all) if (positionals.length === 0 || positionals.includes(row.name)) await prove(row)
} finally {
  desk.remove()
  if (!values.keep) await downLab(values.lab)
}
console.log(`\n${lines.join('\n')}`)
process.exitCode = failed ? 1 : 0

async function converged(): Promise<void> {
  const { code, text } = await operateOn(lab, desk.directory, [`${desk.directory}/playbook.ts`], { FAST: 'yes' })
  if (code !== 0) throw new Error(text)
}

/** Runs the accidents of a row one after the other. Each must be as the row says, and the longest time without a write counts. */
async function prove({ name, event, limit, times, setUp, act, tearDown, holds }: FastRow): Promise<void> {
  const began = performance.now()
  const seen: Accident[] = []
  await setUp?.(lab)
  try {
    for (let i = 0; i < times; i++) {
      const one = await act(lab)
      await emptied(lab)
      seen.push(one)
      console.log(`${name} ${i + 1}: ${formatted(one)}${holds(one) ? '' : ' NOT HELD'}`)
    }
  } finally {
    await tearDown?.(lab)
  }
  const held = seen.every(holds)
  failed ||= !held
  const said = summary(seen)
  record({
    ...{ suite: 'proof of fast failover', name: `${event}, ${limit}`, said },
    ...{ outcome: held ? 'passed' : 'failed', seconds: (performance.now() - began) / 1000 },
  })
  lines.push(`| ${event} | ${limit} | ${held ? '' : 'NOT HELD: '}${said} |`)
  console.log(lines.at(-1))
}

/** Keeps the table small. The rows are in the results already. */
async function emptied(where: Lab): Promise<void> {
  await sql(where, await leaderIn(where), 'truncate notes.note', { database: 'notes' })
}

function formatted({ gap, lost, acknowledged, failed, moved, deleted }: Accident): string {
  return `${(gap / 1000).toFixed(2)} s without a write, ${lost} of ${acknowledged.length} writes lost, ${failed.length} requests failed, ${
    moved ? 'the replica took over' : 'same primary'
  }, ${deleted} keys deleted`
}

function summary(all: readonly Accident[]): string {
  const gaps = all.map(({ gap }) => gap / 1000).sort((a, b) => a - b)
  const sum = (of: (one: Accident) => number) => all.reduce((total, one) => total + of(one), 0)
  const median = ((gaps[Math.floor(gaps.length / 2)] ?? 0) + (gaps[Math.floor((gaps.length - 1) / 2)] ?? 0)) / 2
  return [
    `${all.length} times: median ${median.toFixed(2)} s, at most ${(gaps.at(-1) ?? 0).toFixed(2)} s without a write`,
    `${sum(({ lost }) => lost)} of ${sum(({ acknowledged }) => acknowledged.length)} writes lost`,
    `${sum((one) => one.failed.length)} requests failed`,
    `${sum(({ moved }) => Number(moved))} failovers, ${sum(({ deleted }) => deleted)} keys deleted`,
  ].join('; ')
}

function complain(message: string): never {
  console.error(message)
  process.exit(64)
}
