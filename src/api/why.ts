import { type Explanation, explain } from '../engine/read/why.ts'
import type { Host } from '../model/inventory/host.ts'
import type { Entries } from '../model/inventory/schema.ts'
import type { FlagInput, Playbook } from '../model/playbook/playbook.ts'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'
import { type InventorySource, loadInventory } from './validate.ts'

/** A thing to explain. */
export interface WhyRequest<S extends Entries = Entries> {
  readonly inventory: InventorySource<S>
  readonly playbook: Playbook<S>
  /** The options of the playbook: `{ release: 'v42' }` is `--release v42`. @default none */
  readonly options?: FlagInput
  /**
   * A path, or the name of a package, unit, port or user, with its host: `/etc/motd@web1`. The host may be left out if only one host has
   * the thing. `TYPE:NAME` for things of one type: `package:nginx@web1`.
   */
  readonly thing: string
}

/** The steps that set a thing. Without any, the thing is not managed, unless `unknown` names parts of the playbook that may set it. */
export interface WhyResult extends Explanation {
  /** The name of the thing, without the host. */
  readonly name: string
  /** Undefined if no host was named and no host has the thing. */
  readonly host: string | undefined
}

/**
 * Finds the steps that set a thing on a host, without a connection. Hosts are assumed to be new, with the latest Debian.
 *
 * @throws Problem for an error of the playbook, and if several hosts have the thing and none is named
 * @example
 * const { declarations } = await why({ inventory: prod, playbook: sitePlaybook, thing: '/etc/motd@web1' })
 * for (const { step, play } of declarations) console.log(step.kind, step.name, play)
 */
export async function why<S extends Entries>({
  inventory: source,
  playbook,
  options = {},
  thing,
}: WhyRequest<S>): Promise<WhyResult> {
  const inventory = await loadInventory(source)
  const bound = {
    ...playbook,
    plays: (values: Parameters<typeof playbook.plays>[0]) => playbook.plays(values, options),
  }
  const { name, host } = splitHost(thing, inventory.hosts)
  const limit = (one: Host) => host === undefined || one.name === host
  const found = explain(name, { inventory, playbook: bound, limit })
  const on = [...new Set([...found.declarations, ...found.notifiers].map((one) => one.host))]
  if (on.length === 0 && host === undefined) assertNoHost(thing, inventory.hosts)
  if (on.length > 1)
    throw new Problem(`${name} is on several hosts: ${on.join(', ')}`, { next: `Name one of them: ${name}@${on[0]}` })
  return { ...found, name, host: host ?? on[0] }
}

/** The text after the last `@`, if it is a host: units such as `app@1.service` have an `@` of their own. */
function splitHost(
  thing: string,
  hosts: readonly Host[],
): { readonly name: string; readonly host: string | undefined } {
  const at = thing.lastIndexOf('@')
  const host = thing.slice(at + 1)
  if (at < 1 || !hosts.some((one) => one.name === host)) return { name: thing, host: undefined }
  return { name: thing.slice(0, at), host }
}

/** @throws Problem if the text after the last `@` was meant as a host */
function assertNoHost(thing: string, hosts: readonly Host[]): void {
  const [, name, host] = /^(.+)@([^@]+)$/.exec(thing) ?? []
  if (host === undefined || /\.(?:service|socket|timer|path|mount|target)$/.test(host)) return
  const names = hosts.map((one) => one.name)
  throw new Problem(`There is no host ${host}`, {
    next: didYouMean(host, names) ?? `To find ${name} on any host, leave the host out.`,
  })
}
