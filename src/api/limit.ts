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
  const patterns = limit
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => patternOf(name, hosts))
  const included = patterns.filter(({ excludes }) => !excludes)
  const isSelected = (host: Host) =>
    (included.length === 0 || included.some(({ matches }) => matches(host))) &&
    !patterns.some(({ excludes, matches }) => excludes && matches(host))
  // An empty variable of a script must not select all hosts.
  if (patterns.length === 0 || !hosts.some(isSelected))
    throw new Problem(`--limit: "${limit}" selects no host`, { next: 'For all hosts, omit --limit.' })
  return isSelected
}

function patternOf(text: string, hosts: readonly Host[]) {
  const excludes = text.startsWith('!')
  const name = excludes ? text.slice(1) : text
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
  return { excludes, matches }
}

/** The predicate of `--limit` as an option of the engine; nothing without `--limit`. */
export function limitOf(limit: string | undefined, { hosts }: Pick<Inventory, 'hosts'>) {
  return limit === undefined ? {} : { limit: matchHosts(limit, hosts) }
}
