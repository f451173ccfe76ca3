import type { OpenSession } from '../engine/hosts/scripts.ts'
import { verify } from '../engine/verify.ts'
import type { Check, Output, Verdict } from '../model/check/check.ts'
import { type Verified, verification } from '../model/check/verification.ts'
import type { Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import type { Entries } from '../model/inventory/schema.ts'
import { Problem, Unknown } from '../model/problem.ts'
import { type Facts, RELEASES } from '../model/resource/facts.ts'
import type { Ask, Question } from '../model/resource/question.ts'
import { FACTS } from '../model/resource/read-facts.ts'
import {
  clock,
  fullest,
  inodes,
  packages,
  type Room,
  roomsIn,
  runtime,
  share,
  space,
  sshd,
  systemd,
  uptime,
  user,
  wordsAfter,
} from './host-health.ts'

interface DoctorOptions<S extends Entries = Entries> {
  readonly inventory: Inventory<S>
  /** @default all hosts */
  readonly limit?: (host: Host) => boolean
  /** The maximum number of hosts in progress. @default 100 */
  readonly forks?: number | undefined
}

/**
 * Checks if hosts are ready for a run: in one round trip each after the login, and a second one for checks that have failed. Nothing is
 * changed, and no lock is taken. `said` of a finding has the observation, and its problem has the fix.
 */
export async function doctor<S extends Entries>(
  { inventory, limit, forks }: DoctorOptions<S>,
  open: OpenSession,
): Promise<Verified> {
  const hosts = [...new Map(inventory.hosts.map((host) => [host.name, host])).values()]
  const checks = verification(inventory.schema, () =>
    hosts.flatMap((host) => SIGHTS.map((sight) => checkOf(host, sight))),
  )
  const found = await verify({ inventory, verification: checks, forks, ...(limit && { limit }) }, open)
  // An unreachable host has one line of its own, not one for each check.
  return { ...found, findings: found.findings.filter(({ outcome, problem }) => outcome !== 'unknown' || problem) }
}

/** A check of a host. */
interface Sight {
  readonly label: string
  readonly question: Question<unknown>
  readonly look: (answer: unknown) => Seen | Problem
}

interface Seen {
  readonly found: string
  /** The fault; false or undefined if there is none. */
  readonly what?: string | false
  readonly next?: string
}

function checkOf(host: Host, { label, question, look }: Sight): Check {
  const one = { host, question }
  const judge = (answerTo: (ask: Ask) => unknown): Verdict => {
    const seen = look(answerTo(one))
    if (seen instanceof Problem) return { ms: undefined, problem: seen }
    const { found, what, next } = seen
    const problem = what ? new Problem(what, { ...(next && { next }) }) : undefined
    return { ms: undefined, said: found, problem }
  }
  return { type: 'check', source: undefined, about: host.name, label, asks: [one], judge }
}

/** A check of a program's output. */
function sight(
  label: string,
  question: Question<Output | Problem>,
  look: (said: string, output: Output) => Seen | Problem,
): Sight {
  return {
    label,
    question,
    look: (answer) => {
      // The question's own read returns the answer.
      const got = answer as Output | Problem
      return got instanceof Problem ? got : look(got.said, got)
    },
  }
}

const SIGHTS: readonly Sight[] = [
  sight('login and root', user, (said) => {
    const [number, name, login] = said.split('\n')
    if (!/^\d+$/.test(number ?? '')) return new Unknown('id does not tell the user')
    return {
      found: login === name ? `as ${name}` : `as ${login}, then ${name}`,
      what: number !== '0' && `It is ${name}, not root.`,
      next: 'Steps for the whole host need root: see become in the inventory.',
    }
  }),
  {
    label: 'Debian',
    question: FACTS,
    look: (answer) => {
      const { os } = answer as Facts
      return {
        found: os.id === 'debian' ? `${os.version} (${os.codename})` : `${os.id} ${os.version}`,
        what:
          !RELEASES.some(({ id, version }) => id === os.id && version === os.version) && 'It is not Debian 12 or 13.',
        next: 'The roles here are made for these two. Install one of them, or look closely at what --check shows.',
      }
    },
  },
  sight('disk', space, (said) => {
    const least = fullest(roomsIn(said))
    if (!least) return new Unknown('df names no file system')
    const { mount, free } = least
    const mib = Math.floor(free / 1024)
    return {
      found: `${mib >= 2048 ? `${Math.floor(mib / 1024)} GiB` : `${mib} MiB`} free in ${mount}`,
      what: (mib < 300 || (mib < 2048 && share(least) < 0.05)) && `${mount} is nearly full: ${mib} MiB are free.`,
      next: `Find large directories: du -xh ${mount} | sort -h | tail. apt-get clean and journalctl --vacuum-size=200M make room.`,
    }
  }),
  sight('runtime', runtime, (said) => {
    const [room] = roomsIn(said)
    if (!room) return new Unknown('df names no file system for /run')
    return {
      found: `${Math.floor(room.free / 1024)} MiB free in ${room.mount}`,
      what:
        room.free < 1024 &&
        `${room.mount} is nearly full: ${room.free} KiB are free for locks and for the outputs of scripts.`,
      next: 'Find large files: du -xah /run | sort -h | tail',
    }
  }),
  sight('inodes', inodes, (said) => {
    const rooms: readonly Room[] = roomsIn(said)
    const least = fullest(rooms.filter(({ total }) => total > 0))
    if (!least) return rooms.length > 0 ? { found: 'not counted' } : new Unknown('df names no file system')
    return {
      found: `${Math.floor(100 * share(least))}% free in ${least.mount}`,
      what: share(least) < 0.05 && `${least.mount} can hardly take another file: ${least.free} inodes are free.`,
      next: `Look for folders with many small files: du --inodes -x ${least.mount} | sort -n | tail`,
    }
  }),
  sight('clock', clock, (said, { from, to }) => {
    const off = offBy({ now: Number(said), from, to })
    if (off === undefined) return new Unknown('It took too long to tell its time.')
    return {
      found: off === 0 ? 'right' : `${Math.abs(off / 1000).toFixed(1)} s ${off > 0 ? 'ahead' : 'behind'}`,
      what: Math.abs(off) > AGREES && 'Its clock does not agree with the one here.',
      next: 'See timedatectl there and here; apt-get install chrony keeps a clock right.',
    }
  }),
  sight('apt and dpkg', packages, (said) => {
    const half = wordsAfter('half', said)
    const [lockHolder] = wordsAfter('lock', said)
    if (half.length > 0)
      return {
        found: `${half.length} not finished`,
        what: `Installations were cut off: ${half.join(', ')}.`,
        next: 'On the host: dpkg --configure -a, then apt-get install --fix-broken',
      }
    if (wordsAfter('count', said)[0] === '0') return new Unknown('dpkg-query names no package')
    if (said.trim() === 'none') return { found: 'not there' }
    return {
      found: lockHolder === undefined ? 'free' : 'locked',
      what: lockHolder !== undefined && `The ${lockHolder}.`,
      next: 'A run that installs packages waits for it. When it does not end by itself, look at that process.',
    }
  }),
  sight('reboot', uptime, (said) => {
    const [reboot] = wordsAfter('reboot', said)
    return {
      found: `up ${age(Number(wordsAfter('uptime', said)[0]))}`,
      what: reboot !== undefined && `It waits for a reboot${reboot && `, since ${reboot} was replaced`}.`,
      next: 'Reboot it when that suits; what runs until then is the old code.',
    }
  }),
  sight('systemd', systemd, (said) => {
    const [state] = wordsAfter('state', said)
    const [first, ...more] = wordsAfter('failed', said)
    if (state === undefined)
      return { found: 'not there', what: 'It does not run systemd.', next: 'Steps for services need it.' }
    if (first !== undefined)
      return {
        found: state,
        what: `These units have failed: ${[first, ...more].join(', ')}.`,
        next: `See journalctl -u ${first}; when it is fixed: systemctl reset-failed`,
      }
    return {
      found: state,
      what: state !== 'running' && `It is ${state}.`,
      next: 'When it is still starting, ask again; otherwise see systemctl list-jobs.',
    }
  }),
  sight('sshd', sshd, (said) => {
    const [sessions] = wordsAfter('maxsessions', said)
    return {
      found: sessions === undefined ? 'not there' : `${sessions} sessions a connection`,
      what:
        sessions !== undefined &&
        Number(sessions) < 2 &&
        'It takes one session a connection, so a script that hangs could not be stopped.',
      next: 'Set MaxSessions 10 in a file of /etc/ssh/sshd_config.d, then systemctl reload ssh',
    }
  }),
]

/** A host's clock, which was read between two times of the controller's clock. */
interface ClockRead {
  readonly now: number
  readonly from: number
  readonly to: number
}

/** The maximum deviation of a clock in milliseconds. */
const AGREES = 1_000

/**
 * Returns the minimum deviation of a host's clock in milliseconds; undefined if the answer took too long to decide whether it is too much.
 */
export function offBy({ now, from, to }: ClockRead): number | undefined {
  const [least, most] = [now - to, now - from]
  if (least > AGREES) return least
  if (most < -AGREES) return most
  if (!(least >= -AGREES && most <= AGREES)) return undefined
  return least > 0 ? least : Math.min(0, most)
}

function age(seconds: number): string {
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`
}
