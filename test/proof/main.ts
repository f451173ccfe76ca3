import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { table } from '../../src/report/format.ts'
import { noHosts } from '../integration/support.ts'
import { record } from '../support/results.ts'
import type { Outcome } from './outcome.ts'
import { proved } from './proved.ts'
import { fixed, Site } from './site.ts'
import { SUITES, type Suite } from './suites.ts'
import { firstRun } from './whole.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** The name of the lab, for rows of one site. */
    lab: { type: 'string' },
    /** True to use a lab that is up, and to leave it up. Its site is provisioned if a check fails. */
    keep: { type: 'boolean', default: false },
    /** The number of repetitions of each row: the figures are the medians. */
    times: { type: 'string', default: '1' },
    'no-controls': { type: 'boolean', default: false },
    /** The path of a JSON file for the figures. */
    json: { type: 'string' },
  },
})
const names = SUITES.flatMap(({ first, rows }) => [...(first ? ['first'] : []), ...rows.map(({ name }) => name)])
const strange = positionals.filter((word) => !names.some((name) => fits(name, word)))
if (strange.length > 0) complain(`There is no ${strange.join(', ')}; there are ${names.join(', ')}.`)
const times = Number(values.times)
if (!Number.isInteger(times) || times < 1) complain(`--times takes a number from 1 on, not ${values.times}.`)
const suites = SUITES.filter(({ first, rows }) => (first && wanted('first')) || rows.some(({ name }) => wanted(name)))
if (values.lab !== undefined && suites.length > 1)
  complain('--lab needs rows of one site: name rows, or all of the automatic site with `automatic`.')
const why = noHosts()
if (why) complain(`Nothing can be proved here: ${why}.`)

const outcomes: Outcome[] = []
const sites: string[] = []
let stopped = false
process.once('SIGINT', () => {
  stopped = true
})
for (const suite of suites) if (!stopped) await prove(suite)
console.log(`\n${sites.join('\n')}\n\n${shown(outcomes)}`)
if (values.json) {
  const made = new Date().toISOString()
  writeFileSync(values.json, `${JSON.stringify({ made, sites, rows: outcomes }, undefined, 2)}\n`)
}
process.exitCode = outcomes.every(good) ? 0 : 1

async function prove({ lab, hosts, first: hasFirst, rows }: Suite): Promise<void> {
  const { keep } = values
  const site = await Site.up(values.lab ?? lab, { ...hosts, kept: keep })
  try {
    const began = performance.now()
    const first = keep ? undefined : await firstRun(site, { measure: hasFirst && wanted('first') })
    if (first) say(first, began)
    await (keep ? fixed(site) : site.healthy())
    const versions = await site.versions()
    sites.push(versions)
    console.log(versions)
    for (const row of rows.filter(({ name }) => wanted(name))) {
      if (stopped) break
      const began = performance.now()
      const controls = !values['no-controls']
      say(await proved(site, row, { times, controls, stopped: () => stopped, say: console.log }), began)
    }
  } finally {
    await site.down({ keep })
  }
}

function wanted(name: string): boolean {
  return positionals.length === 0 || positionals.some((word) => fits(name, word))
}

/** True if the word is the name of a row or its prefix: `vip`, `web`, `web-off`. */
function fits(name: string, word: string): boolean {
  return name === word || name.startsWith(`${word}-`)
}

function good({ result, controlFailed }: Outcome): boolean {
  return result === 'held' && controlFailed !== false
}

/** @param began the start time, on the clock of this process */
function say(outcome: Outcome, began: number): void {
  outcomes.push(outcome)
  const { name, event, limit, result, figures, times: each, control, controlFailed } = outcome
  const all = each.length > 1 ? each.map((one, i) => `\n${i + 1}. ${one}`).join('') : ''
  record({
    suite: 'proof',
    name: `${name}: ${event}, ${limit}`,
    outcome: good(outcome) ? 'passed' : 'failed',
    seconds: (performance.now() - began) / 1000,
    said: `${result}. ${figures}${all}${control ? `\ncontrol${controlFailed ? '' : ' DID NOT FAIL'}: ${control}` : ''}`,
  })
  console.log(`${name}: ${result}. ${figures}`)
  if (control) console.log(`  control${controlFailed ? '' : ' DID NOT FAIL'}: ${control}`)
}

function shown(all: readonly Outcome[]): string {
  const rows = all.map(({ event, limit, result, figures, control, controlFailed, operator = '' }) => [
    event,
    limit,
    result,
    (figures.split('\n')[0] ?? '').slice(0, 100),
    operator,
    control === '' ? '' : `${controlFailed ? '' : 'did not fail! '}${control}`,
  ])
  const head = ['event', 'limit', 'result', 'measured', 'operator', 'control, which must fail']
  return table([head, ...rows]).join('\n')
}

function complain(message: string): never {
  console.error(message)
  process.exit(64)
}
