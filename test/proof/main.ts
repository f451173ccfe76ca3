import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { table } from '../../src/report/format.ts'
import { noHosts } from '../integration/support.ts'
import { record } from '../support/results.ts'
import type { Outcome } from './outcome.ts'
import { type Row, reported } from './row.ts'
import { ROWS } from './rows.ts'
import { fixed, Site } from './site.ts'
import { firstRun } from './whole.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** The name of the lab. */
    lab: { type: 'string', default: 'proof' },
    /** True to use a lab that is up as it is, and to leave it up. */
    keep: { type: 'boolean', default: false },
    'no-controls': { type: 'boolean', default: false },
    /** The path of a JSON file for the figures. */
    json: { type: 'string' },
  },
})
const names = ['first', ...ROWS.map(({ name }) => name)]
const strange = positionals.filter((word) => !names.some((name) => fits(name, word)))
if (strange.length > 0) {
  console.error(`There is no ${strange.join(', ')}; there are ${names.join(', ')}.`)
  process.exit(64)
}
const why = noHosts()
if (why) {
  console.error(`Nothing can be proved here: ${why}.`)
  process.exit(64)
}

const outcomes: Outcome[] = []
const site = await Site.up(values.lab, { kept: values.keep })
let stopped = false
process.once('SIGINT', () => {
  stopped = true
})
try {
  const began = performance.now()
  const first = await firstRun(site, { measure: wanted('first') && !values.keep })
  if (first) say(first, began)
  await site.healthy()
  for (const row of ROWS.filter(({ name }) => wanted(name))) {
    if (stopped) break
    const began = performance.now()
    say(await proved(row), began)
  }
} finally {
  await site.down({ keep: values.keep })
}
console.log(`\n${shown(outcomes)}`)
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ made: new Date().toISOString(), rows: outcomes }, undefined, 2)}\n`)
process.exitCode = outcomes.every(good) ? 0 : 1

function wanted(name: string): boolean {
  return positionals.length === 0 || positionals.some((word) => fits(name, word))
}

/** True if the word is the name of a row or its prefix: `vip`, `web`, `web-off`. */
function fits(name: string, word: string): boolean {
  return name === word || name.startsWith(`${word}-`)
}

async function proved(row: Row): Promise<Outcome> {
  const { name, event, limit, holds, needs, control } = row
  const about = { name, event, limit }
  if (needs && !site.has(needs))
    return {
      ...about,
      result: 'not there',
      figures: `there is no playbook ${needs}`,
      controlFailed: undefined,
      control: '',
    }
  try {
    const figures = await row.run(site)
    await site.healthy()
    const bad = control && !values['no-controls'] ? await control.run(site) : undefined
    if (bad) await site.healthy()
    return {
      ...about,
      result: holds(figures) ? 'held' : 'not held',
      figures: reported(figures),
      controlFailed: bad && !holds(bad),
      control: bad && control ? `${control.what}: ${reported(bad)}` : '',
    }
  } catch (error) {
    // A broken site must not affect the rows after it.
    await fixed(site)
    const words = error instanceof Error ? error.message : String(error)
    return { ...about, result: 'broke', figures: words, controlFailed: undefined, control: '' }
  }
}

function good({ result, controlFailed }: Outcome): boolean {
  return result === 'held' && controlFailed !== false
}

/** @param began the start time, on the clock of this process */
function say(outcome: Outcome, began: number): void {
  outcomes.push(outcome)
  const { name, event, limit, result, figures, control, controlFailed } = outcome
  record({
    suite: 'proof',
    name: `${name}: ${event}, ${limit}`,
    outcome: good(outcome) ? 'passed' : 'failed',
    seconds: (performance.now() - began) / 1000,
    said: `${result}. ${figures}${control ? `\ncontrol${controlFailed ? '' : ' DID NOT FAIL'}: ${control}` : ''}`,
  })
  console.log(`${name}: ${result}. ${figures}`)
  if (control) console.log(`  control${controlFailed ? '' : ' DID NOT FAIL'}: ${control}`)
}

function shown(all: readonly Outcome[]): string {
  const rows = all.map(({ event, limit, result, figures, control, controlFailed }) => [
    event,
    limit,
    result,
    (figures.split('\n')[0] ?? '').slice(0, 100),
    control === '' ? '' : `${controlFailed ? '' : 'did not fail! '}${control}`,
  ])
  return table([['event', 'limit', 'result', 'measured', 'control, which must fail'], ...rows]).join('\n')
}
