import type { Inventory } from '../model/inventory.ts'
import { Problem } from '../model/problem.ts'
import { type Entries, type InventorySchema, missingEntries } from '../model/stack.ts'

/** Both may come from different hands: what one asks for, the other has to have. */
export function refuseUnfit<S extends Entries>(
  { type, schema }: { readonly type: 'playbook' | 'verification'; readonly schema: InventorySchema<S> },
  { values }: Inventory<S>,
): void {
  const missing = missingEntries(schema, values)
  if (missing.length === 0) return
  throw new Problem(`The ${type} asks for ${missing.join(', ')}, which the inventory does not have`, {
    next: `Give both the same schema, or take a ${type} that was made for this one.`,
  })
}
