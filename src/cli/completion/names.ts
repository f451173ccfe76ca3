import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { flagName, isSwitch } from '../../model/playbook/playbook.ts'
import { type HostNames, storedHostNames } from '../load/host-names.ts'
import { cacheDirectory, compile, importDefault } from '../load/load.ts'
import { type Installation, inventories, playbookPath } from '../load/paths.ts'
import { describeField } from '../playbook-flags.ts'

/** The groups and hosts of an inventory when it was last loaded; without a name, those of all inventories of the project. */
export function hostNames(inventory: string | undefined): HostNames {
  const named = inventory ?? process.env['PROVISION_INVENTORY']
  const all = (named === undefined ? inventories() : [named]).map((path) => {
    const full = resolve(path)
    return storedHostNames(cacheDirectory(full), full)
  })
  return {
    groups: [...new Set(all.flatMap(({ groups }) => groups))],
    hosts: [...new Set(all.flatMap(({ hosts }) => hosts))],
  }
}

/** An option of a playbook. */
export interface PlaybookOption {
  readonly name: string
  readonly description: string
  readonly hasValue: boolean
}

/** The options of a playbook; none if it cannot be loaded. They are cached beside its compiled files. */
export async function playbookOptionNames(
  playbook: string,
  installation: Installation,
): Promise<readonly PlaybookOption[]> {
  const path = resolve(playbookPath(playbook))
  if (!existsSync(path)) return []
  try {
    const { outdir } = await compile({ playbook: path }, installation)
    const cache = join(outdir, 'options.json')
    if (changed(cache) > changed(join(outdir, 'inputs.json'))) return JSON.parse(readFileSync(cache, 'utf8'))
    const { flags } = await importDefault(outdir, 'playbook', path)
    const options = Object.entries(flags).map(([name, field]) => ({
      name: flagName(name),
      description: describeField(field).replace(/\s+/g, ' '),
      hasValue: !isSwitch(field),
    }))
    // Another shell may read the file at the same time.
    writeFileSync(`${cache}.${process.pid}`, JSON.stringify(options))
    renameSync(`${cache}.${process.pid}`, cache)
    return options
  } catch {
    return []
  }
}

function changed(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
