import { existsSync, readdirSync } from 'node:fs'
import { Problem } from '../model/problem.ts'

/** @throws Problem when there is none, with those that there are */
export function inventoryPath(given: string | undefined): string {
  const path = given ?? process.env['PROVISION_INVENTORY']
  if (path) return path
  const there = existsSync('inventory') ? readdirSync('inventory').filter((name) => name.endsWith('.ts')) : []
  throw new Problem('Which inventory?', {
    next:
      there.length > 0
        ? `Say --inventory inventory/${there[0]}${there.length > 1 ? `; there are ${there.join(', ')}` : ''}.`
        : 'Say --inventory FILE.',
  })
}

/** A name without a slash or an ending means a file below playbooks/. */
export function playbookPath(name: string): string {
  return /[/.]/.test(name) ? name : `playbooks/${name}.ts`
}
