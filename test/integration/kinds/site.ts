import type { Group, Host, Play, Steps } from '../../../src/index.ts'
import { Dice } from '../../support/dice.ts'
import { accounts } from './accounts.ts'
import { api, type Generator, type Part, type Site } from './api.ts'
import { archives } from './archives.ts'
import { edits, ownership, trees, trust } from './edits.ts'
import { commands, directories, files, lines, links, transactions } from './files.ts'
import { host } from './host.ts'
import { jobs } from './jobs.ts'
import { firewalls, settings } from './kernel.ts'
import { packages } from './packages.ts'
import { releases } from './releases.ts'
import { units } from './units.ts'

/** The handler appends a line to this file each time it runs. */
export const REPORTED = '/run/kinds-reported'

/** Add the generator of a new kind here. Together they call every function of src/index.ts that creates steps, through `api`. */
const GENERATORS: readonly (readonly [Generator, number])[] = [
  [files, 0.6],
  [directories, 0.5],
  [links, 0.5],
  [lines, 0.5],
  [edits, 0.5],
  [ownership, 0.5],
  [trust, 0.3],
  [trees, 0.3],
  [commands, 0.6],
  [transactions, 0.3],
  [accounts, 0.5],
  [units, 0.5],
  [jobs, 0.4],
  [host, 0.4],
  [packages, 0.25],
  [releases, 0.5],
  [archives, 0.3],
  [settings, 0.4],
  [firewalls, 0.15],
]

export interface RandomSite {
  /** Shell commands that create the initial state of the host. */
  readonly found: string
  /** Returns the same plays on each call. */
  readonly plays: (all: Pick<Group, 'hosts'>) => readonly Play[]
}

/**
 * A site with all generators, for a host on which nothing is declared yet. The steps that may change anything come last, so that the plan
 * knows as much as possible.
 */
export function bareSite(seed: number): RandomSite {
  const dice = new Dice(seed)
  const isLast = (generator: Generator) => LAST.includes(generator)
  const all = GENERATORS.map(([generator]) => generator)
  const ordered = [...all.filter((one) => !isLast(one)), ...all.filter(isLast)]
  const parts = ordered.map((generator) => generator(dice, siteWith(dice)))
  const steps = parts.flatMap((part) => part.steps)
  const plays: RandomSite['plays'] = (hosts) => [api.play('first', { hosts }, () => steps)]
  return { found: parts.map(({ needs = '' }) => needs).join('\n'), plays }
}

const LAST: readonly Generator[] = [transactions, units, jobs, commands, packages, firewalls]

/** @param round from 0. Each round includes one generator in turn, so that enough rounds include all of them */
export function randomSite(seed: number, round: number): RandomSite {
  const dice = new Dice(seed * 1000 + round)
  const isIn = (share: number, i: number) => dice.maybe(share) || i === round % GENERATORS.length
  const site = siteWith(dice)
  const parts = GENERATORS.filter(([, share], i) => isIn(share, i)).map(([generator]) => generator(dice, site))
  return { found: parts.map(({ needs = '', found }) => `${needs}\n${found}`).join('\n'), plays: playsOf(parts, dice) }
}

function siteWith(dice: Dice): Site {
  const note = api.handler('note', api.sh`echo reported >> ${REPORTED}`)
  return { options: () => (dice.maybe(0.15) ? { notify: note } : {}) }
}

/** The steps of all parts, mixed: some in roles, some delegated, some tagged, in one play or two. */
function playsOf(parts: readonly Part[], dice: Dice): RandomSite['plays'] {
  const cut = dice.maybe(0.3) ? dice.below(parts.length + 1) : parts.length
  const make = (some: readonly Part[]) =>
    dice.merged(some.map(({ steps }) => steps)).map((steps) => wrapped(steps, dice))
  const [first, second] = [make(parts.slice(0, cut)), make(parts.slice(cut))]
  const options = [playOptions(dice), playOptions(dice)] as const
  const plays = [first, second].map(
    (steps, i) => (all: Pick<Group, 'hosts'>) =>
      api.play(i === 0 ? 'first' : 'second', { hosts: all, ...options[i]?.(all) }, (host) =>
        steps.map((one) => one(host)),
      ),
  )
  return (all) => plays.map((play) => play(all))
}

function wrapped(steps: Steps, dice: Dice): (host: Host) => Steps {
  const name = dice.one('a', 'b', 'c')
  const isThere = api.ask(
    'is it there?',
    api.read(api.sh`true`, ({ code }) => code === 0),
  )
  const inRole = () => api.role(name, () => steps)({})
  return dice.one<(host: Host) => Steps>(
    () => steps,
    () => steps,
    inRole,
    inRole,
    inRole,
    () => api.tagged('kinds', steps),
    () => api.runOnce(steps),
    (host) => api.delegateTo(host, steps),
    (host) => api.after(api.askHost(host, isThere), () => steps),
  )
}

function playOptions(dice: Dice): (all: Pick<Group, 'hosts'>) => object {
  const { sh } = api
  return dice.one<(all: Pick<Group, 'hosts'>) => object>(
    () => ({}),
    () => ({}),
    () => ({ serial: 1, readiness: () => api.probe('it is well', sh`true`) }),
    () => ({ maxUnavailable: 1 }),
    () => ({
      drain: api.drain('out of service', {
        drain: (host: Host) => [api.runOn(host, sh`touch /run/kinds-out`)],
        undrain: (host: Host) => [api.runOn(host, sh`rm -f /run/kinds-out`)],
      }),
    }),
  )
}
