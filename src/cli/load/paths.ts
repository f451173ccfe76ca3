import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'

/** @throws Problem when there is none, with those that there are */
export function inventoryPath(given: string | undefined): string {
  const path = given ?? process.env['PROVISION_INVENTORY']
  if (path) return path
  const there = inventories()
  throw new Problem('Which inventory?', {
    next:
      there.length > 0
        ? `Say --inventory ${there[0]}${there.length > 1 ? `; there are ${there.join(', ')}` : ''}.`
        : 'Say --inventory FILE.',
  })
}

/** A name without a slash or an ending means a file below playbooks/. */
export function playbookPath(name: string): string {
  return /[/.]/.test(name) ? name : `playbooks/${name}.ts`
}

/** The inventories of the project. */
export function inventories(): readonly string[] {
  return sources('inventory').map((name) => join('inventory', `${name}.ts`))
}

/** The names of the project's playbooks. */
export function playbooks(): readonly string[] {
  return sources('playbooks')
}

function sources(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return (
    readdirSync(directory)
      // Others are parts of them.
      .filter(
        (name) =>
          name.endsWith('.ts') && /^export default /m.test(readFileSync(join(directory, name), 'utf8')),
      )
      .map((name) => name.replace(/\.ts$/, ''))
      .sort()
  )
}
