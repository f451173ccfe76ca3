import { spawnSync } from 'node:child_process'
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { connections } from './connections.ts'
import { curve } from './curve.ts'
import { display } from './display.ts'
import { firstRun } from './first-run.ts'
import { fleet } from './fleet.ts'
import { floors } from './floor.ts'
import { FLOOR, nothingToDo, type Tool } from './nothing-to-do.ts'
import { peers, setUpPeers } from './peers.ts'
import { processes } from './processes.ts'
import { provision } from './provision.ts'
import { Site } from './site.ts'

const PARTS = ['first', 'nothing', 'curve', 'connections', 'display', 'processes', 'fleet']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '7' },
    'round-trips': { type: 'string', default: '0,50,100' },
    // The largest fleet, and a folder that keeps its recorded answers.
    hosts: { type: 'string', default: '10000' },
    answers: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
  },
})
const strange = positionals.filter((part) => !PARTS.includes(part))
if (strange.length > 0) {
  console.error(`Unknown part ${strange.join(', ')}. Parts: ${PARTS.join(', ')}.`)
  process.exit(64)
}
const wanted = (part: string) => positionals.length === 0 || positionals.includes(part)
const runs = Number(values.runs)
const say = (text: string) => console.log(`${text}\n`)

const versions = values['no-peers'] ? [] : setUpPeers(say)
say([machine(), `Node ${process.versions.node}`, opensshVersion(), ...versions].join(' · '))
if (wanted('connections')) say(await connections(runs))
if (wanted('fleet')) say(await fleet({ answers: values.answers, most: Number(values.hosts) }))
if (wanted('processes')) say(await processes(runs))
if (['first', 'nothing', 'curve', 'display'].some(wanted)) {
  const site = await Site.up()
  try {
    await onHosts(site)
  } finally {
    await site.down()
  }
}

async function onHosts(site: Site): Promise<void> {
  const ours: Tool = { name: 'Provision', run: provision(site, 'site') }
  const { ansible, mitogen } = peers(site)
  const others: readonly Tool[] = values['no-peers']
    ? []
    : [
        { name: 'Ansible with Mitogen', run: mitogen, slow: true },
        { name: 'Ansible', run: ansible, slow: true },
      ]
  if (wanted('first')) say(await firstRun(site, [...others, ours], Math.min(runs, 3)))
  if (wanted('nothing')) {
    const { openssh, ssh2 } = floors(site)
    const distances = values['round-trips'].split(',').map(Number)
    const bare: readonly Tool[] = [
      { name: FLOOR, run: openssh },
      { name: 'floor: bare ssh2 in Node', run: ssh2 },
    ]
    say(await nothingToDo(site, [ours, ...bare, ...others], { distances, runs }))
  }
  if (wanted('curve')) say(await curve(site, Math.min(runs, 3)))
  if (wanted('display')) say(await display(site, runs))
}

function machine(): string {
  const [first] = cpus()
  return `${cpus().length} cores (${first?.model.trim()}), Linux ${release()}`
}

function opensshVersion(): string {
  return spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr.trim()
}
