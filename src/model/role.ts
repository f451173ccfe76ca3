import type { Facts } from './facts.ts'
import { InvalidParams, Problem, within } from './problem.ts'
import { callSite, type Source } from './source.ts'
import type { Steps } from './steps.ts'

/** What a role knows of the host it is unfolded for, beside its params. */
export interface RoleContext {
  readonly facts: Facts
}

/** A role with its params: steps that are made once the host's facts are known. */
export interface RoleCall {
  readonly type: 'role'
  readonly name: string
  readonly source: Source | undefined
  readonly tags: readonly string[]
  readonly steps: (context: RoleContext) => Steps
}

/** Params in which an optional one may also be undefined: `workers: host.workers` is the commonest use. */
export type Params<P> = { readonly [K in keyof P]: undefined extends P[K] ? P[K] | undefined : P[K] } & {
  readonly [K in keyof P as Record<never, never> extends Pick<P, K> ? K : never]?: P[K] | undefined
}

/** A role, to be called with its params. Made by {@link role}. */
export type Role<P> = (params: Params<P>) => RoleCall

export interface RoleOptions<P> {
  /** The releases of Debian that it works on; with a host of another, nothing is changed on any. @default any system */
  readonly debian?: readonly number[]
  /** Refuses params that cannot be right, before any host is met. @throws Refusal that names the param as `where` */
  readonly check?: (params: P) => void
  /** Words for `--tags` and `--skip-tags`, beside the role's name, which is one already. */
  readonly tags?: readonly string[]
}

/**
 * A role: a function from params to steps. Defaults stand where the params are taken apart.
 *
 * @example role('motd', ({ text }: { readonly text: string }) => [file('/etc/motd', text)])
 */
export function role<P extends object>(
  name: string,
  body: (params: P, context: RoleContext) => Steps,
  { tags = [], debian, check }: RoleOptions<P> = {},
): Role<P> {
  return (params) => {
    const source = callSite()
    if (typeof params !== 'object' || params === null)
      throw new Problem(`role ${name} was called without its params`, {
        ...(source && { where: source }),
        next: 'Give it an object, an empty one if need be: {}.',
      })
    const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as P
    if (check) within(`role ${name}`, source, () => check(given))
    return Object.freeze({
      type: 'role',
      name,
      source,
      tags,
      steps: (context: RoleContext) => {
        if (debian) refuseOthers(debian, context.facts)
        return body(given, context)
      },
    })
  }
}

function refuseOthers(known: readonly number[], { hostname, os }: Facts): void {
  if (os.id === 'debian' && known.includes(os.version)) return
  throw new InvalidParams(`${hostname} runs ${[os.id, os.version || os.codename].join(' ')}.`, {
    next: `It works on Debian ${known.join(' and ')}. Nothing was changed on any host.`,
  })
}
