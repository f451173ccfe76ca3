import type { Host } from '../model/inventory/host.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'

/**
 * Returns a predicate for the hosts that `--limit` selects: comma-separated names of hosts and groups, with `*` and `?`; `!` excludes.
 *
 * @example matchHosts('web,!web2', hosts)
 * @throws Problem for a name that matches no host, and if no host is left
 */
export function matchHosts(limit: string, hosts: readonly Host[]): (host: Host) => boolean {
  const names = new Set(hosts.flatMap(({ name, group }) => [name, group]))
  const patterns = limit
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => patternOf(name, hosts, names))
  const included = patterns.filter(({ excludes }) => !excludes)
  const isIncluded = included.length === 0 ? () => true : matcherOf(included)
  const isExcluded = matcherOf(patterns.filter(({ excludes }) => excludes))
  const isSelected = (host: Host) => isIncluded(host) && !isExcluded(host)
  // An empty variable of a script must not select all hosts.
  if (patterns.length === 0 || !hosts.some(isSelected))
    throw new Problem(`--limit: "${limit}" selects no host`, { next: 'For all hosts, omit --limit.' })
  return isSelected
}

interface Pattern {
  readonly excludes: boolean
  readonly name: string
  /** Undefined for the name of a host or a group: `provision resume` may give thousands of them. */
  readonly matches: ((host: Host) => boolean) | undefined
}

function matcherOf(patterns: readonly Pattern[]): (host: Host) => boolean {
  const names = new Set(patterns.map(({ name }) => name))
  const others = patterns.flatMap(({ matches }) => matches ?? [])
  return (host) => names.has(host.name) || names.has(host.group) || others.some((matches) => matches(host))
}

function patternOf(text: string, hosts: readonly Host[], names: ReadonlySet<string>): Pattern {
  const excludes = text.startsWith('!')
  const name = excludes ? text.slice(1) : text
  if (names.has(name)) return { excludes, name, matches: undefined }
  const parts = name
    .split(/([*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&')))
  const pattern = new RegExp(`^(?:${parts.join('')})$`)
  const matches = (host: Host) => name === 'all' || pattern.test(host.name) || pattern.test(host.group)
  if (!hosts.some(matches)) {
    const known = [...new Set(hosts.flatMap((host) => [host.name, host.group]))]
    throw new Problem(`--limit: no host or group matches "${name}"`, {
      next: didYouMean(name, known) ?? `The hosts and groups are ${known.join(', ')}.`,
    })
  }
  return { excludes, name, matches }
}

/** The predicate of `--limit` as an option of the engine; nothing without `--limit`. */
export function limitOf(limit: string | undefined, { hosts }: Pick<Inventory, 'hosts'>) {
  return limit === undefined ? {} : { limit: matchHosts(limit, hosts) }
}
