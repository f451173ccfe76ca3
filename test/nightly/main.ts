import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { milliseconds } from '../../src/shell/duration.ts'
import { noHosts, ROOT } from '../integration/support.ts'
import type { Result } from '../support/results.ts'
import { compared } from './compare.ts'
import type { Done } from './done.ts'
import { junit } from './junit.ts'
import { parts } from './parts.ts'
import { ground, leftSince } from './remains.ts'
import { commit, runPart } from './run-part.ts'
import { keyOf, type Night, summary, wrong } from './summary.ts'

// Runs all tests that take too long for each change, once a night. Writes one folder, and compares it with the previous night.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    soak: { type: 'string', default: '1h' },
    /** The folder of the results. Parts from an earlier call remain. */
    into: { type: 'string', default: join(ROOT, 'nightly', new Date().toISOString().slice(0, 10)) },
    /** True to summarize the existing results without a run. */
    summary: { type: 'boolean', default: false },
    /** The folder of the previous night. */
    against: { type: 'string' },
  },
})
if (!/^\d+[smh]$/.test(values.soak)) complain(`--soak takes a length of time, such as 10m or 1h, not ${values.soak}.`)
const soak = values.soak as `${number}m`
const PARTS = parts(soak, Math.ceil(milliseconds(soak) / 60_000))
const strange = positionals.filter((word) => !PARTS.some(({ name }) => name === word))
if (strange.length > 0)
  complain(`There is no ${strange.join(', ')}; there are ${PARTS.map(({ name }) => name).join(', ')}.`)
const why = noHosts()
if (why) complain(`There is no night here: ${why}.`)

const into = resolve(values.into)
const against = values.against === undefined ? nightBefore(into) : resolve(values.against)
if (against !== undefined && !existsSync(against)) complain(`There is no folder ${against}.`)
mkdirSync(into, { recursive: true })
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

const at = new Date().toISOString()
const before = ground()
const wanted = values.summary ? [] : PARTS
for (const part of wanted.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  if (stop.signal.aborted) break
  console.log(`${part.name}: ${part.about}`)
  await runPart(part, into, stop.signal)
}
if (!values.summary) await whole()

const night = nightOf(into, against)
writeFileSync(join(into, 'summary.md'), summary(night))
writeFileSync(join(into, 'results.xml'), junit(night.done))
const bad = wrong(night)
console.log(
  [
    '',
    bad.length === 0 ? 'A good night.' : `${bad.length} to look at:`,
    ...bad.map((line) => `  ${line}`),
    `Held against ${against === undefined ? 'nothing: there is no night before' : basename(against)}. All of it: ${join(into, 'summary.md')}`,
  ].join('\n'),
)
process.exitCode = bad.length > 0 || stop.signal.aborted ? 1 : 0

/** Records the result of the nightly run itself. */
async function whole(): Promise<void> {
  const left = leftSince(before)
  const result: Result = {
    ...{ suite: 'night', name: 'nothing is left behind on this machine', seconds: 0 },
    ...(left.length === 0 ? { outcome: 'passed' } : { outcome: 'failed', said: left.join('\n') }),
  }
  const seconds = (Date.now() - Date.parse(at)) / 1000
  const own = { part: 'night', about: 'the night itself', ended: 'well', seconds, at }
  const done: Done = { ...own, commit: await commit(), results: [result], figures: [] }
  mkdirSync(join(into, 'night'), { recursive: true })
  writeFileSync(join(into, 'night/part.json'), `${JSON.stringify(done, undefined, 2)}\n`)
}

function nightOf(folder: string, last: string | undefined): Night {
  const done = doneIn(folder)
  const before = last === undefined ? undefined : doneIn(last)
  return {
    done,
    figures: compared(
      done.flatMap(({ figures }) => figures),
      (before ?? []).flatMap(({ figures }) => figures),
    ),
    before:
      before && new Map(before.flatMap(({ part, results }) => results.map((one) => [keyOf(part, one), one.outcome]))),
  }
}

function doneIn(folder: string): readonly Done[] {
  return [...PARTS.map(({ name }) => name), 'night']
    .map((name) => join(folder, name, 'part.json'))
    .filter((path) => existsSync(path))
    .map((path): Done => JSON.parse(readFileSync(path, 'utf8')))
}

/** Returns the newest folder next to this one that has a summary. */
function nightBefore(folder: string): string | undefined {
  const beside = dirname(folder)
  if (!existsSync(beside)) return undefined
  const [last] = readdirSync(beside)
    .map((name) => join(beside, name))
    .filter((path) => path !== folder && existsSync(join(path, 'summary.md')))
    .sort()
    .reverse()
  return last
}

function complain(text: string): never {
  console.error(text)
  process.exit(64)
}
