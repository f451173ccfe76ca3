import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { RunEvent } from '../../model/event.ts'
import { isRecord } from '../../model/inventory/fields.ts'
import { Problem } from '../../model/problem.ts'
import { unfinishedHosts } from '../../report/recap.ts'
import { errno } from '../../transport/errors.ts'
import { templatesBeside } from '../load/templates.ts'
import type { RunFlags } from '../options.ts'

/** Below the folder that the command is given in. */
const FILE = '.provision/unfinished.json'
const REMOVE = `Remove it (rm ${FILE}), and run that command again for all hosts: what is done is not done twice.`

/** What makes two runs the same but for their hosts. */
export interface RunIdentity {
  readonly inventory: string
  /** As on the command line. */
  readonly playbook: string
  readonly args: readonly string[]
  readonly flags: Pick<RunFlags, 'tags' | 'skipTags' | 'startAt' | 'transport' | 'askBecomePassword'>
}

/** A run that did not reach its end on all hosts. Holds no secret: flags of playbooks cannot be any. */
export interface UnfinishedRun extends RunIdentity {
  readonly provision: 1
  readonly at: string
  readonly left: readonly string[]
  /** The digests of the files that it was made of. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Follows a run and keeps in mind on which hosts it did not reach its end: all of them from the first change on, in case we die
 * before we know better. What the same command had left before, on other hosts, stays so.
 */
export function trackUnfinished(run: RunIdentity, sources: readonly string[]): (event: RunEvent) => void {
  const asked = askedOf(run)
  const before = attempted(readUnfinished)
  const earlier = before && JSON.stringify(askedOf(before)) === JSON.stringify(asked) ? before.left : []
  let hosts: readonly string[] = []
  let begun = false
  const keep = (now: readonly string[]) => {
    const left = [...new Set([...earlier.filter((host) => !hosts.includes(host)), ...now])]
    const files = digestsOf([...sources, ...templatesBeside(sources)])
    note(left.length > 0 ? { provision: 1, at: new Date().toISOString(), ...asked, left, files } : undefined)
  }
  return (event) => {
    if (event.kind === 'begin') hosts = event.hosts
    if (!begun && CHANGING.has(event.kind)) {
      begun = true
      keep(hosts)
    }
    if (event.kind !== 'end') return
    const left = unfinishedHosts(event.summary)
    if (left.length > 0 || earlier.length > 0) keep(left)
    // What another command has left is still to be done when this one has ended well.
    else if (begun) note(before)
  }
}

/** From these on, something may have changed. */
const CHANGING: ReadonlySet<RunEvent['kind']> = new Set(['applying', 'waiting', 'handler'])

/** @throws Problem when the file is not ours */
export function readUnfinished(): UnfinishedRun | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(FILE, 'utf8'))
    if (isRecord(found) && found['provision'] === 1 && Array.isArray(found['left'])) {
      // Earlier versions wrote `words`.
      const args = found['args'] ?? found['words'] ?? []
      return { ...found, args } as unknown as UnfinishedRun
    }
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw new Problem(`${FILE} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      next: REMOVE,
    })
  }
  throw new Problem(`${FILE} was not written by this version of provision`, { next: REMOVE })
}

/** The files of a run that are no longer as they were. */
export function changedFiles({ files }: UnfinishedRun): readonly string[] {
  const now = digestsOf(Object.keys(files))
  return Object.keys(files).filter((path) => now[path] !== files[path])
}

function askedOf({ inventory, playbook, args, flags }: RunIdentity): RunIdentity {
  const { tags, skipTags, startAt, transport, askBecomePassword } = flags
  return {
    inventory,
    playbook,
    args,
    flags: {
      askBecomePassword,
      ...(tags && { tags }),
      ...(skipTags && { skipTags }),
      ...(startAt !== undefined && { startAt }),
      ...(transport && { transport }),
    },
  }
}

/** That it cannot be kept in mind must not stop a run. */
function note(what: UnfinishedRun | undefined): void {
  try {
    if (!what) {
      rmSync(FILE, { force: true })
      return
    }
    mkdirSync(dirname(FILE), { recursive: true, mode: 0o700 })
    const fresh = `${FILE}.${process.pid}`
    writeFileSync(fresh, `${JSON.stringify(what, undefined, 1)}\n`, { mode: 0o600 })
    renameSync(fresh, FILE)
  } catch (error) {
    process.stderr.write(
      `warning: ${FILE} cannot be written, so provision resume will not know of this run: ${errno(error)}\n`,
    )
  }
}

function digestsOf(paths: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(paths.map((path) => [path, attempted(() => digestOf(path)) ?? 'gone']))
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
}

function attempted<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}
