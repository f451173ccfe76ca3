import { InvalidParams, Problem, wrapErrors } from '../problem.ts'
import { type Facts, isSystem, systemTitle } from '../resource/facts.ts'
import { callSite } from '../source.ts'
import type { RoleCall, RoleContext, Steps } from './steps.ts'

/** Params whose optional properties may also be undefined, as in `workers: host.workers`. */
export type Params<P> = { readonly [K in keyof P]: undefined extends P[K] ? P[K] | undefined : P[K] } & {
  readonly [K in keyof P as Record<never, never> extends Pick<P, K> ? K : never]?: P[K] | undefined
}

/** A role, which is called with its params. Created by {@link role}. */
export type Role<P> = (params: Params<P>) => RoleCall

interface RoleOptions<P> {
  /**
   * The systems that it was tested on: `debian 12` for one release, `debian` for all. If a host has another one, no host is changed.
   * @default any system
   */
  readonly os?: readonly string[]
  /** Rejects invalid params before any host is connected. @throws InvalidParams with the param as `where` */
  readonly check?: (params: P) => void
  /** Tags for `--tags` and `--skip-tags`, besides the role's name, which is always a tag. */
  readonly tags?: readonly string[]
}

/**
 * Creates a role: a function from params to steps. Give defaults where the params are destructured.
 *
 * @example role('motd', ({ text }: { readonly text: string }) => [file('/etc/motd', text)])
 */
export function role<P extends object>(
  name: string,
  body: (params: P, context: RoleContext) => Steps,
  { tags = [], os, check }: RoleOptions<P> = {},
): Role<P> {
  const wrong = os?.find((one) => !/^[a-z0-9._-]+(?: \S+)?$/.test(one))
  if (wrong !== undefined)
    throw new TypeError(`role ${name}: "${wrong}" is not a system, such as debian 12 or ubuntu 24.04`)
  const definition = {}
  const supports = (facts: Facts) => {
    if (os) refuseOthers(os, facts)
  }
  return (params) => {
    const source = callSite()
    if (typeof params !== 'object' || params === null)
      throw new Problem(`role ${name} was called without its params`, {
        ...(source && { where: source }),
        next: 'Give it an object, an empty one if need be: {}.',
      })
    const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as P
    if (check) wrapErrors(`role ${name}`, source, () => check(given))
    return Object.freeze({
      type: 'role',
      name,
      source,
      tags,
      steps: (context: RoleContext) => {
        supports(context.facts)
        return body(given, context)
      },
      // A role without a second parameter does not use the context.
      ...(body.length === 1 && {
        pure: { definition, params: given, supports, steps: (context: RoleContext) => body(given, context) },
      }),
    })
  }
}

function refuseOthers(systems: readonly string[], { hostname, os }: Facts): void {
  if (systems.some((one) => isSystem(one, os))) return
  const titles = systems.map(systemTitle)
  const last = titles.at(-1) ?? 'no system'
  const system = systemTitle(`${os.id} ${os.version || os.codename}`.trim())
  throw new InvalidParams(`${hostname} runs ${system}.`, {
    next: `The role was tested on ${titles.length > 1 ? `${titles.slice(0, -1).join(', ')} and ${last}` : last}. Nothing was changed on any host.`,
    systems,
  })
}
