import type { Host } from '../model/inventory/host.ts'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'

/**
 * The hosts that `--limit` names: names of hosts and groups, with `*` and `?`, apart by commas; `!` before one takes it out again.
 *
 * @example limited('web,!web2', hosts)
 * @throws Problem for a word that means no host, and for words that leave none
 */
export function matchHosts(limit: string, hosts: readonly Host[]): (host: Host) => boolean {
  const words = limit
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  const patterns = words.map((word) => patternOf(word, hosts))
  const wanted = patterns.filter(({ out }) => !out)
  const isIn = (host: Host) =>
    (wanted.length === 0 || wanted.some(({ meant }) => meant(host))) &&
    !patterns.some(({ out, meant }) => out && meant(host))
  // An empty variable of a script must not come to mean all hosts.
  if (words.length === 0 || !hosts.some(isIn))
    throw new Problem(`--limit: "${limit}" leaves no host`, { next: 'Leave it away for all hosts.' })
  return isIn
}

function patternOf(word: string, hosts: readonly Host[]) {
  const out = word.startsWith('!')
  const bare = out ? word.slice(1) : word
  const parts = bare
    .split(/([*?])/)
    .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&')))
  const pattern = new RegExp(`^(?:${parts.join('')})$`)
  const meant = ({ name, group }: Host) => bare === 'all' || pattern.test(name) || pattern.test(group)
  if (!hosts.some(meant)) {
    const names = [...new Set(hosts.flatMap(({ name, group }) => [name, group]))]
    throw new Problem(`--limit: no host or group is called "${bare}"`, {
      next: didYouMean(bare, names) ?? `There are ${names.join(', ')}.`,
    })
  }
  return { out, meant }
}
