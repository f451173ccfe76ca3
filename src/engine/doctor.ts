import { type Ask, ask } from '../model/ask.ts'
import type { Check, Verdict } from '../model/check.ts'
import type { Host } from '../model/host.ts'
import type { Inventory } from '../model/inventory.ts'
import { Problem } from '../model/problem.ts'
import type { Entries } from '../model/stack.ts'
import { type Verified, verification } from '../model/verification.ts'
import type { OpenSession } from './fleet.ts'
import { verify } from './verify.ts'
import { type Room, type Vitals, vitals } from './vitals.ts'

export interface DoctorOptions<S extends Entries = Entries> {
  readonly inventory: Inventory<S>
  /** @default all hosts */
  readonly limit?: (host: Host) => boolean
}

/**
 * Looks whether hosts are fit for a run, each in one round trip after its login. Nothing is changed, and no lock is taken. What a check
 * has seen stands in `said`, and how to mend what is wrong in its problem.
 */
export async function doctor<S extends Entries>(
  { inventory, limit }: DoctorOptions<S>,
  open: OpenSession,
): Promise<Verified> {
  const began = Date.now()
  const hosts = [...new Map(inventory.hosts.map((host) => [host.name, host])).values()]
  const asks = hosts.map((host) => ({ host, question: ask('how it is', vitals) }))
  const checks = verification(inventory.stack, () =>
    asks.flatMap((one) => SIGHTS.map((sight) => checkOf(one, sight, began))),
  )
  const found = await verify({ inventory, verification: checks, ...(limit && { limit }) }, open)
  // What nobody could look at needs no line for each part of it.
  return { ...found, findings: found.findings.filter(({ outcome }) => outcome !== 'unknown') }
}

/** One thing to look at on a host. */
interface Sight {
  readonly label: string
  readonly look: (vitals: Vitals, began: number) => Seen
}

interface Seen {
  readonly found: string
  /** What is wrong with it. */
  readonly what?: string | false
  readonly next?: string
}

function checkOf(one: Ask, { label, look }: Sight, began: number): Check {
  const judge = (answerTo: (ask: Ask) => unknown): Verdict => {
    // The answer is what the question's own read has made.
    const { found, what, next } = look(answerTo(one) as Vitals, began)
    return {
      ms: undefined,
      said: found,
      problem: what ? new Problem(what, { ...(next && { next }) }) : undefined,
    }
  }
  return { type: 'check', source: undefined, about: one.host.name, label, asks: [one], judge }
}

const SIGHTS: readonly Sight[] = [
  {
    label: 'login and root',
    look: ({ login }) => ({ found: login === 'root' ? 'as root' : `as ${login}, then root` }),
  },
  {
    label: 'Debian',
    look: ({ facts: { os } }) => ({
      found: os.id === 'debian' ? `${os.version} (${os.codename})` : `${os.id} ${os.version}`,
      what: !(os.id === 'debian' && SUPPORTED.includes(os.version)) && 'It is not Debian 12 or 13.',
      next: 'The roles here are made for these two. Install one of them, or look closely at what --check shows.',
    }),
  },
  {
    label: 'disk',
    look: ({ space }) => {
      const least = fullest(space)
      if (!least) return { found: 'not known' }
      const { mount, free } = least
      const mib = Math.floor(free / 1024)
      return {
        found: `${mib >= 2048 ? `${Math.floor(mib / 1024)} GiB` : `${mib} MiB`} free in ${mount}`,
        what:
          (mib < 300 || (mib < 2048 && share(least) < 0.05)) &&
          `${mount} is nearly full: ${mib} MiB are free.`,
        next: `Look for what is large: du -xh ${mount} | sort -h | tail. apt-get clean and journalctl --vacuum-size=200M make room.`,
      }
    },
  },
  {
    label: 'inodes',
    look: ({ inodes }) => {
      const least = fullest(inodes)
      if (!least) return { found: 'not counted' }
      return {
        found: `${Math.floor(100 * share(least))}% free in ${least.mount}`,
        what:
          share(least) < 0.05 &&
          `${least.mount} can hardly take another file: ${least.free} inodes are free.`,
        next: `Look for folders with many small files: du --inodes -x ${least.mount} | sort -n | tail`,
      }
    },
  },
  {
    label: 'clock',
    look: (seen, began) => {
      const off = offBy(seen, began)
      return {
        found: off === 0 ? 'right' : `${Math.abs(off / 1000).toFixed(1)} s ${off > 0 ? 'ahead' : 'behind'}`,
        what: Math.abs(off) > 1_000 && 'Its clock does not agree with the one here.',
        next: 'See timedatectl there and here; apt-get install chrony keeps a clock right.',
      }
    },
  },
  {
    label: 'apt and dpkg',
    look: ({ lockHolder, halfInstalled }) =>
      halfInstalled.length > 0
        ? {
            found: `${halfInstalled.length} not finished`,
            what: `Installations were cut off: ${halfInstalled.join(', ')}.`,
            next: 'On the host: dpkg --configure -a, then apt-get install --fix-broken',
          }
        : {
            found: lockHolder === undefined ? 'free' : 'locked',
            what: lockHolder !== undefined && `The ${lockHolder}.`,
            next: 'A run that installs packages waits for it. When it does not end by itself, look at that process.',
          },
  },
  {
    label: 'reboot',
    look: ({ reboot, uptime }) => ({
      found: `up ${age(uptime)}`,
      what: reboot !== undefined && `It waits for a reboot${reboot && `, since ${reboot} was replaced`}.`,
      next: 'Reboot it when that suits; what runs until then is the old code.',
    }),
  },
  {
    label: 'systemd',
    look: ({ systemd, failedUnits: [first, ...more] }) => {
      if (first !== undefined)
        return {
          found: systemd,
          what: `These units have failed: ${[first, ...more].join(', ')}.`,
          next: `See journalctl -u ${first}; when it is mended: systemctl reset-failed`,
        }
      if (systemd === '')
        return { found: 'not there', what: 'It does not run systemd.', next: 'Steps for services need it.' }
      return {
        found: systemd,
        what: systemd !== 'running' && `It is ${systemd}.`,
        next: 'When it is still starting, ask again; otherwise see systemctl list-jobs.',
      }
    },
  },
  {
    label: 'sshd',
    look: ({ maxSessions }) => ({
      found: maxSessions === undefined ? 'not asked' : `${maxSessions} sessions a connection`,
      what:
        maxSessions !== undefined &&
        maxSessions < 2 &&
        'It takes one session a connection, so a script that hangs could not be stopped.',
      next: 'Set MaxSessions 10 in a file of /etc/ssh/sshd_config.d, then systemctl reload ssh',
    }),
  },
]

const SUPPORTED: readonly number[] = [12, 13]

/** Milliseconds by which the host's clock is off for sure: what the way to it took is nobody's fault. */
export function offBy({ now, heard }: Pick<Vitals, 'now' | 'heard'>, began: number): number {
  if (now > heard) return now - heard
  return Math.min(0, now - began)
}

function share({ free, total }: Room): number {
  return free / total
}

function fullest(rooms: readonly Room[]): Room | undefined {
  return [...rooms].sort((a, b) => share(a) - share(b))[0]
}

function age(seconds: number): string {
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`
}
