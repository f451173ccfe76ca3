import type { HostCommand } from '../model/around.ts'
import type { Host } from '../model/host.ts'
import type { Shell } from '../shell/sh.ts'
import type { Result, Script } from '../transport/session/session.ts'
import { evidence, type Failure, firstFailure } from './failures.ts'
import type { Fleet } from './fleet.ts'
import type { Member } from './member.ts'
import { problemOf } from './turn.ts'

/** How long one errand may take: they wait for nobody without a bound of their own. */
const PATIENCE = 120_000

/** What went wrong on one host. */
export interface Trouble {
  readonly name: string
  readonly lines: readonly string[]
}

export interface Errands {
  readonly results: readonly Result[]
  /** What went wrong; undefined when all went well. */
  readonly trouble: Trouble | undefined
}

/** Does them in their order, in one round trip. Never rejects. */
export async function errands(
  { name, session }: Member,
  scripts: readonly Script[],
  fleet: Fleet,
): Promise<Errands> {
  try {
    const results = await session.run(scripts, { stopAtFailure: true })
    const failure = firstFailure(scripts, results)
    return { results, trouble: failure && { name, lines: said(name, failure) } }
  } catch (error) {
    const problem = problemOf(error, name)
    fleet.lost(name, problem)
    return { results: [], trouble: { name, lines: [problem.message] } }
  }
}

function said(name: string, { script, result }: Failure): readonly string[] {
  const how = result.timedOut ? 'took too long' : `ended with status ${result.code}`
  return [`on ${name}, a command ${how}:`, ...evidence(script, result)]
}

export function asErrand(script: Shell): Script {
  return { script, mode: 'isolated', timeout: PATIENCE }
}

export function byHost(
  all: readonly HostCommand[],
): ReadonlyMap<string, { readonly host: Host; readonly scripts: readonly Shell[] }> {
  const grouped = new Map<string, { readonly host: Host; readonly scripts: readonly Shell[] }>()
  for (const { host, script } of all)
    grouped.set(host.name, { host, scripts: [...(grouped.get(host.name)?.scripts ?? []), script] })
  return grouped
}
