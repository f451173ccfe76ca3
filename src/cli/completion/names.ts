import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { expandWithoutHost, RELEASES } from '../../engine/read/without-hosts.ts'
import type { Inventory } from '../../model/inventory/inventory.ts'
import type { Play } from '../../model/playbook/play.ts'
import type { Playbook } from '../../model/playbook/playbook.ts'
import { compile, type Installation, importInventory, importPlaybook } from '../load/load.ts'
import { inventories, playbookPath } from '../load/paths.ts'
import { kept } from './cache.ts'

/** The names that a project has, for a person who types them. */
export interface Names {
  readonly hosts: readonly string[]
  readonly groups: readonly string[]
  readonly tags: readonly string[]
}

interface Asked {
  readonly inventory: string | undefined
  readonly playbook: string | undefined
}

/** Of the inventory and playbook that a command line speaks of; none where they cannot be read. Made once, then kept beside what was compiled. */
export async function namesOf({ inventory, playbook = 'site' }: Asked, own: Installation): Promise<Names> {
  const named = inventory ?? process.env['PROVISION_INVENTORY']
  for (const path of named === undefined ? inventories() : [named]) {
    try {
      return await namesIn(path, playbookPath(playbook), own)
    } catch {
      // It cannot be read here and now, as that of a lab that is not up.
    }
  }
  return { hosts: [], groups: [], tags: [] }
}

async function namesIn(path: string, plan: string, own: Installation): Promise<Names> {
  // Its own keys: a run is to find its files as new as they are to it, and to have their types checked.
  const at = resolve(path)
  const paths = { inventory: at, ...(existsSync(plan) && { playbook: resolve(plan) }), completes: at }
  const { outdir } = await compile(paths, own)
  return kept(outdir, 'names.json', async () => {
    const { hosts, values } = await importInventory(outdir, path)
    return {
      hosts: [...new Set(hosts.map(({ name }) => name))],
      groups: [...new Set(hosts.map(({ group }) => group))],
      tags: existsSync(plan) ? tagsOf(await importPlaybook(outdir, plan), values) : [],
    }
  })
}

/** The tags of all steps that can be known without the hosts. */
function tagsOf(playbook: Playbook, values: Inventory['values']): readonly string[] {
  const all = playsOf(playbook, values).flatMap((play) => {
    try {
      const [host] = play.hosts
      const steps = host ? expandWithoutHost(play.steps(host), host, RELEASES[0]).steps : []
      return [...play.tags, ...steps.flatMap(({ tags }) => tags)]
    } catch {
      return play.tags // Its steps hang on what hosts answer.
    }
  })
  return [...new Set(all)].sort()
}

/** None where they hang on flags that the playbook must be told. */
function playsOf(playbook: Playbook, values: Inventory['values']): readonly Play[] {
  try {
    return playbook.plays(values)
  } catch {
    return []
  }
}
