import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'

/** A lab's or a host's name becomes a directory, a cgroup and a host name. */
export function checkName(kind: 'lab' | 'host' | 'snapshot', name: string): string {
  if (NAME.test(name)) return name
  throw new Problem(`"${name}" cannot be the name of a ${kind}.`, {
    next: 'Use at most 32 lower-case letters, digits and dashes, beginning with a letter.',
  })
}

/** The one of that name. */
export function byName<T extends { readonly name: string }>(all: readonly T[], name: string, lab: string): T {
  const found = all.find((one) => one.name === name)
  if (found) return found
  const names = all.map((one) => one.name)
  throw new Problem(`The lab "${lab}" has no host "${name}".`, {
    next: didYouMean(name, names) ?? `It has ${names.join(', ')}.`,
  })
}

const NAME = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/
