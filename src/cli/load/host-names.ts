import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Inventory } from '../../model/inventory/inventory.ts'

/** The names that shells complete. Stored whenever an inventory is loaded, so that completion does not run inventories. */
export interface HostNames {
  readonly groups: readonly string[]
  readonly hosts: readonly string[]
}

export function storeHostNames(directory: string, inventoryPath: string, { hosts }: Pick<Inventory, 'hosts'>): void {
  const names: HostNames = {
    groups: [...new Set(hosts.map(({ group }) => group))],
    hosts: [...new Set(hosts.map(({ name }) => name))],
  }
  const file = fileOf(directory, inventoryPath)
  const text = JSON.stringify(names)
  try {
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return
    mkdirSync(directory, { recursive: true })
    // A shell may read the file at the same time.
    writeFileSync(`${file}.${process.pid}`, text)
    renameSync(`${file}.${process.pid}`, file)
  } catch {
    // Without the file, shells complete no hosts.
  }
}

/** The names of the inventory when it was last loaded; none if it never was. */
export function storedHostNames(directory: string, inventoryPath: string): HostNames {
  const file = fileOf(directory, inventoryPath)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { groups: [], hosts: [] }
}

function fileOf(directory: string, inventoryPath: string): string {
  const key = createHash('sha256').update(inventoryPath).digest('hex').slice(0, 12)
  return join(directory, `hosts-${key}.json`)
}
