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

/** In the working directory. */
const FILE = '.provision/unfinished.json'
const REMOVE = `Remove it (rm ${FILE}), then repeat the run for all hosts: completed steps change nothing.`

/** Runs with equal values differ only in their hosts. */
interface RunIdentity {
  readonly inventory: string
  /** As on the command line. */
  readonly playbook: string
  /** The options of the playbook. */
  readonly args: readonly string[]
  readonly flags: Pick<RunFlags, 'tags' | 'skipTags' | 'startAt' | 'transport' | 'askBecomePassword'>
}

/** A run that did not complete on all hosts. It contains no secrets: options of playbooks cannot hold them. */
export interface UnfinishedRun extends RunIdentity {
  readonly provision: 1
  readonly at: string
  /** The hosts that did not complete. */
  readonly left: readonly string[]
  /** Hashes of the source files. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Returns an event listener that records the hosts on which a run did not complete. From the first change on these are all hosts, in
 * case the process is killed. Other hosts on which the same run did not complete earlier stay recorded.
 */
export function trackUnfinished(run: RunIdentity, sources: readonly string[]): (event: RunEvent) => void {
  const identity = identityOf(run)
  const before = attempt(readUnfinished)
  const isSameRun = before && JSON.stringify(identityOf(before)) === JSON.stringify(identity)
  const earlier = isSameRun ? before.left : []
  let hosts: readonly string[] = []
  let started = false
  const record = (now: readonly string[]) => {
    const own = new Set(hosts)
    const left = [...new Set([...earlier.filter((host) => !own.has(host)), ...now])]
    const files = hashes([...sources, ...templatesBeside(sources)])
    write(left.length > 0 ? { provision: 1, at: new Date().toISOString(), ...identity, left, files } : undefined)
  }
  return (event) => {
    if (event.kind === 'begin') hosts = event.hosts
    if (!started && CHANGES.has(event.kind)) {
      started = true
      record(hosts)
    }
    if (event.kind !== 'end') return
    const left = unfinishedHosts(event.summary)
    if (!event.summary.refused && (left.length > 0 || earlier.length > 0)) record(left)
    // This run completed, or policies refused it after it had waited for a lock: the record is as it was before.
    else if (started) write(before)
  }
}

/** After one of these events a host may have changed. */
const CHANGES: ReadonlySet<RunEvent['kind']> = new Set(['applying', 'waiting', 'handler'])

/** The unfinished run, if there is one. @throws Problem if the file is damaged or from another version */
export function readUnfinished(): UnfinishedRun | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(FILE, 'utf8'))
    if (isRecord(content) && content['provision'] === 1 && Array.isArray(content['left'])) {
      // Version 0.1.0 wrote `words`.
      const args = content['args'] ?? content['words'] ?? []
      return { ...content, args } as unknown as UnfinishedRun
    }
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw new Problem(`Cannot read ${FILE}: ${error instanceof Error ? error.message : String(error)}`, {
      next: REMOVE,
    })
  }
  throw new Problem(`${FILE} was written by another version of provision`, { next: REMOVE })
}

/** The source files that have changed since the run. */
export function changedFiles({ files }: UnfinishedRun): readonly string[] {
  const now = hashes(Object.keys(files))
  return Object.keys(files).filter((path) => now[path] !== files[path])
}

function identityOf({ inventory, playbook, args, flags }: RunIdentity): RunIdentity {
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

/** If the file cannot be written, the run continues. */
function write(run: UnfinishedRun | undefined): void {
  try {
    if (!run) {
      rmSync(FILE, { force: true })
      return
    }
    mkdirSync(dirname(FILE), { recursive: true, mode: 0o700 })
    const temporary = `${FILE}.${process.pid}`
    writeFileSync(temporary, `${JSON.stringify(run, undefined, 1)}\n`, { mode: 0o600 })
    renameSync(temporary, FILE)
  } catch (error) {
    process.stderr.write(`warning: cannot write ${FILE}: ${errno(error)}. provision resume will not find this run.\n`)
  }
}

function hashes(paths: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(paths.map((path) => [path, attempt(() => hashOf(path)) ?? 'gone']))
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch {
    return undefined
  }
}
