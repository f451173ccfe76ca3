import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { downLab, type Lab, upLab } from '../src/lab/index.ts'
import { file } from '../src/resources/files/file.ts'
import { onLab } from '../test/integration/lab-site.ts'
import { type Accounted, accounted } from '../test/support/accounting.ts'
import { familiesOf, thirtySteps } from '../test/support/thirty.ts'
import { progress, type Run, table, timed } from './clock.ts'

const ROOT = join(import.meta.dirname, '..')
const NAMES = ['bench-processes', 'bench-site'] as const
const FILES = 20

/** Processes of a run on a host, and its processor time compared to a bare login. */
export async function processes(runs: number): Promise<string> {
  const [small, site] = NAMES
  try {
    const few = await onOneHost(await fresh(small, ['web1']))
    const lab = await fresh(site)
    return [few, await onSite(lab), await besideLogins(lab, runs)].join('\n\n')
  } finally {
    for (const name of NAMES) await downLab(name)
  }
}

async function fresh(name: string, hosts?: readonly string[]): Promise<Lab> {
  await downLab(name)
  return upLab({ name, ...(hosts && { hosts }) })
}

async function onOneHost(lab: Lab): Promise<string> {
  const { steps, remove } = thirtySteps()
  const count = async (body: () => Promise<unknown>) => [...(await accounted(lab, ['web1'], body)).values()].flat()
  try {
    const login = await count(() => timed(loginTo(lab, 'web1')))
    await onLab(lab, steps)
    const idle = await count(() => onLab(lab, steps))
    const files = Array.from({ length: FILES }, (_, i) => file(`/srv/fresh/${i}`, `${i}\n`))
    const written = await count(() => onLab(lab, files))
    const again = await count(() => onLab(lab, files))
    const each = ((written.length - again.length) / FILES).toFixed(1)
    return table(
      ['one host', 'processes', 'families of questions', 'by name'],
      [
        ['ssh host sudo -n true', `${login.length}`, '–', byName(login)],
        ['30 steps, nothing to do', `${idle.length}`, `${familiesOf(steps)}`, byName(idle)],
        [`${FILES} new files`, `${written.length} (${each} a file)`, `${familiesOf(files)}`, byName(written)],
      ],
    )
  } finally {
    remove()
  }
}

async function onSite(lab: Lab): Promise<string> {
  progress('the shipped site: first run')
  await timed(siteRun(lab))
  // The second run is not counted: a replica may still catch up.
  await timed(siteRun(lab))
  const names = lab.hosts.map(({ name }) => name)
  const counted = await accounted(lab, names, () => timed(siteRun(lab)))
  const all = [...counted.values()].flat()
  return table(
    ['the shipped site, nothing to do', 'processes', 'by name'],
    [
      ...[...counted].map(([name, own]) => [name, `${own.length}`, byName(own)]),
      ['all hosts', `${all.length}`, byName(all)],
    ],
  )
}

/** Runs the tools alternately. The first round is not counted. */
async function besideLogins(lab: Lab, runs: number): Promise<string> {
  const tools = [
    { name: 'the shipped site, nothing to do', run: () => timed(siteRun(lab)) },
    {
      name: '8 × ssh host sudo -n true',
      run: () => Promise.all(lab.hosts.map(({ name }) => timed(loginTo(lab, name)))),
    },
  ].map((one) => ({ ...one, seconds: [] as number[], processor: [] as number[] }))
  for (let round = 0; round <= runs; round++)
    for (const { run, seconds, processor } of tools) {
      const [began, busy] = [performance.now(), busySeconds()]
      await run()
      if (round === 0) continue
      seconds.push((performance.now() - began) / 1000)
      processor.push(busySeconds() - busy)
    }
  const floor = tools.at(-1)
  return table(
    ['whole machine, medians', 'seconds', 'processor seconds'],
    tools.map(({ name, seconds, processor }) => [
      name,
      ratio(median(seconds), median(floor?.seconds ?? [])),
      ratio(median(processor), median(floor?.processor ?? [])),
    ]),
  )
}

function ratio(value: number, floor: number): string {
  return `${value.toFixed(2)} ×${(value / floor).toFixed(2)}`
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Processor time of this machine since boot, including the hosts, which run on it. */
function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
  )
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + soft) / TICKS
}

/** Ticks per second: USER_HZ, the same on all Linux. */
const TICKS = 100

function siteRun({ name }: Lab): Run {
  return {
    command: process.execPath,
    args: [join(ROOT, 'bin/provision.js'), '--inventory', 'inventory/lab.ts', '--output', 'lines'],
    env: { LAB: name },
    cwd: ROOT,
  }
}

function loginTo({ sshConfig }: Lab, host: string): Run {
  return { command: 'ssh', args: ['-F', sshConfig, host, 'sudo -n true'] }
}

/** `sh 4, (sh) 2`: a process in parentheses was forked and has started no program. */
function byName(all: readonly Accounted[]): string {
  const counts = new Map<string, number>()
  for (const { program, forkOnly } of all) {
    const name = forkOnly ? `(${program})` : program
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([name, n]) => `${name} ${n}`)
    .join(', ')
}
