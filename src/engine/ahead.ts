import { atLeastOne, batches } from '../model/play.ts'
import type { Pool } from '../model/step.ts'
import type { Act, Course } from './course.ts'
import type { Member } from './member.ts'
import type { Survey } from './survey.ts'

/**
 * Lets hosts whose turn comes later prepare meanwhile what they will need (the download of packages), for all plays at once. Those
 * that are first begin with the real thing at once. It is a help and no part of the plan: that it fails stops nobody.
 */
export async function prepareAhead(
  acts: readonly Act[],
  { members, surveys, confirm, stop }: Pick<Course, 'members' | 'surveys' | 'confirm' | 'stop'>,
): Promise<void> {
  if (confirm || stop.aborted) return
  const differs = ({ examined }: Survey) => examined.some(({ difference }) => difference)
  const first = acts.find(({ play }) =>
    [...surveys.values()].flat().some((one) => one.play === play && differs(one)),
  )
  const early = new Set(first ? firstHosts(first) : [])
  await Promise.allSettled(
    [...members.values()]
      .filter(({ name, problem }) => !problem && !early.has(name))
      .map((member) => prepare(member, surveys.get(member.name) ?? [])),
  )
}

function firstHosts({ play, hosts }: Act): readonly string[] {
  const { maxUnavailable } = play
  const first =
    maxUnavailable === undefined
      ? batches(hosts, play.serial)[0]
      : hosts.slice(0, atLeastOne(maxUnavailable, hosts.length))
  return (first ?? []).map(({ name }) => name)
}

async function prepare({ session }: Member, surveys: readonly Survey[]): Promise<void> {
  const needs = new Map<string, { readonly pool: Pool; readonly all: Set<string> }>()
  for (const { placed, have, difference } of surveys.flatMap(({ examined }) => examined)) {
    const { pool } = placed.step
    if (!difference || !pool) continue
    const need = needs.get(pool.name) ?? { pool, all: new Set() }
    needs.set(pool.name, need)
    for (const word of pool.items(have) ?? []) need.all.add(word)
  }
  const wanted = [...needs.values()].filter(({ all }) => all.size > 0)
  if (wanted.length === 0) return
  const { pid } = await session.opened
  await session.run(
    wanted.map(({ pool, all }) => ({ script: pool.prefetch([...all], pid), mode: 'isolated' as const })),
  )
}
