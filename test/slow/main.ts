import { parseArgs } from 'node:util'
import { elapsed, milliseconds } from '../../src/shell/duration.ts'
import { noHosts } from '../integration/support.ts'
import { Site } from '../proof/site.ts'
import { record } from '../support/results.ts'
import { FAULTS } from './faults.ts'

// Runs the whole site on hosts with little processor time: no healthy host is reported as broken, and each fault is reported.

const { values } = parseArgs({
  options: {
    /** The name of the lab. */
    lab: { type: 'string', default: 'slow' },
    /** The percentage of a core for each host. */
    cpu: { type: 'string', default: '5' },
    /** The duration of the watch. */
    watch: { type: 'string', default: '10m' },
    /** True to leave the lab up afterwards. */
    keep: { type: 'boolean', default: false },
  },
})
const why = noHosts()
if (why) {
  console.error(`Slow hosts cannot be tried here: ${why}.`)
  process.exit(64)
}

let failures = 0
process.env['LAB_CPU'] = values.cpu
console.log(`Eight hosts, each with ${values.cpu} % of a core.`)
const site = await timed('the hosts boot', async () => {
  const up = await Site.up(values.lab, { kept: false })
  return { value: up, said: '' }
})
try {
  await step('first run', async () => expects(await site.provision('site'), 0))
  await step('second run: nothing changes', async () => {
    const ended = await site.provision('site')
    return expects(ended, 0) ?? (ended.text.includes('No changes') ? undefined : tail(ended.text))
  })
  // The address must not move after this point.
  const began = await transitions()
  await step('verify: no check fails', verified)
  await step(`watch, ${values.watch}: nothing is called failed or unreachable`, watched)
  await step('deploy', async () => {
    site.edit('examples/notes-api/dist/app/server.mjs', (text) => `${text}\n// ${Date.now()}\n`)
    return expects(await site.provision('deploy'), 0)
  })
  await step('switchover', async () => expects(await site.provision('switchover'), 0))
  await step('verify afterwards: no check fails', verified)
  await step('the address has not moved', async () => {
    const moves = (await transitions()) - began
    return moves === 0 ? undefined : `keepalived became MASTER ${moves} times`
  })
  for (const { event, begin, end, named } of FAULTS)
    await step(`${event}: verify names it`, async () => {
      const context = await begin(site)
      try {
        const { code, text } = await site.provision('verify')
        if (code !== 1) return `verify ended with ${code}\n${tail(text)}`
        const lines = text.split('\n').filter((line) => / failed\b/.test(line))
        return lines.some((line) => named.test(line)) ? undefined : `named were:\n${lines.join('\n')}`
      } finally {
        await end(site, context)
      }
    })
} finally {
  await site.down({ keep: values.keep })
}
console.log(failures === 0 ? 'All held.' : `${failures} did not hold.`)
process.exitCode = failures === 0 ? 0 : 1

/** Returns the number of times that a balancer took the address, from the log of keepalived. */
async function transitions(): Promise<number> {
  const counts = await Promise.all(
    ['lb1', 'lb2'].map((host) =>
      site.on(host, "journalctl -q -u keepalived -o cat | grep -c 'Entering MASTER STATE' || true"),
    ),
  )
  return counts.reduce((sum, count) => sum + Number(count), 0)
}

/** Runs verify. Unknown results are not failures. */
async function verified(): Promise<string | undefined> {
  const { code, text } = await site.provision('verify')
  const last = text.trim().split('\n').at(-1) ?? ''
  console.log(`    ${last}`)
  return code === 0 || code === 4 ? undefined : `status ${code}\n${tail(text)}`
}

async function watched(): Promise<string | undefined> {
  const every = 5_000
  const end = Date.now() + milliseconds(values.watch as `${number}m`)
  let rounds = 0
  const bad: string[] = []
  while (Date.now() < end) {
    const { code, text } = await site.provision('watch', '--every', '3s', '--rounds', '10')
    rounds += 10
    bad.push(...text.split('\n').filter((line) => /\bfailed\b|✗|not reach|is lost/.test(line)))
    if (code !== 0 && code !== 4) bad.push(`status ${code}: ${tail(text)}`)
    await new Promise((done) => setTimeout(done, every))
  }
  console.log(`    ${rounds} rounds`)
  return bad.length === 0 ? undefined : bad.join('\n')
}

function expects({ code, text }: { readonly code: number; readonly text: string }, wanted: number) {
  return code === wanted ? undefined : `status ${code}\n${tail(text)}`
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-25).join('\n')
}

async function step(name: string, body: () => Promise<string | undefined>): Promise<void> {
  await timed(name, async () => ({ value: undefined, said: await body() }))
}

async function timed<T>(
  name: string,
  body: () => Promise<{ readonly value: T; readonly said: string | undefined }>,
): Promise<T> {
  const began = performance.now()
  const { value, said } = await body()
  const good = !said
  if (!good) failures++
  const ms = performance.now() - began
  console.log(`${good ? '✓' : '✗'} ${name} (${elapsed(ms)})${said ? `\n${said}` : ''}`)
  record({
    suite: 'slow',
    name,
    outcome: good ? 'passed' : 'failed',
    seconds: ms / 1000,
    ...(said && { said }),
  })
  return value
}
