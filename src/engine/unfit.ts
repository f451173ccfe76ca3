import type { Inventory } from '../model/inventory.ts'
import { Problem } from '../model/problem.ts'
import { type Entries, missingEntries, type Stack } from '../model/stack.ts'

/** Both may come from different hands: what one asks for, the other has to have. */
export function refuseUnfit<S extends Entries>(
  { type, stack }: { readonly type: 'playbook' | 'verification'; readonly stack: Stack<S> },
  { values }: Inventory<S>,
): void {
  const missing = missingEntries(stack, values)
  if (missing.length === 0) return
  throw new Problem(`The ${type} asks for ${missing.join(', ')}, which the inventory does not have`, {
    next: `Give both the same stack, or take a ${type} that was made for this one.`,
  })
}
