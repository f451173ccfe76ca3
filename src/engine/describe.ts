import type { PlacedStep } from '../model/steps.ts'

/** A step in the words of a problem: `file /etc/motd (role base › motd)`. */
export function describe({ step: { kind, name }, roles }: PlacedStep): string {
  return `${kind} ${name}${roles.length > 0 ? ` (role ${roles.join(' › ')})` : ''}`
}
