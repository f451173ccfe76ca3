import { type Duration, milliseconds } from '../../shell/duration.ts'
import type { Shell } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'
import { callSite, type Source } from '../source.ts'
import { asCommand, type Command, type CommandLike, type Streamed } from './command.ts'
import type { Diff } from './diff.ts'
import type { Platform } from './facts.ts'
import type { FakeState } from './fake-state.ts'
import type { Handler } from './handler.ts'
import type { Read } from './read.ts'
import type { Thing } from './thing.ts'

/** The declared state of one thing on a host, with functions to read, compare and apply it. */
export interface Step {
  readonly type: 'step'
  readonly kind: string
  /** The name of the thing: a path, the name of a package. */
  readonly name: string
  /** Its place in the user's files. */
  readonly source: Source | undefined
  /** Its tags, for `--tags`. */
  readonly tags: readonly string[]
  readonly notify: readonly Handler[]
  /** The things that it sets, besides the paths of `replace` and `edits`; `provision why` finds the step by them. */
  readonly sets?: readonly Thing[]
  /** The host that it is for. @default the host of the turn */
  readonly on?: Host
  /**
   * Handlers that its own change already carries out, so they do not run again. They stay pending if the run is killed during the change.
   */
  readonly satisfies: readonly Handler[]
  /** Used by transactions to apply it and to roll it back; undefined if it cannot be rolled back. */
  readonly replace?: Replacement
  /**
   * The effect of its change. `itself`: nothing else changes, so later steps are read again only if their questions may depend on it.
   * `host`: anything may have changed, as after the installation of a package.
   */
  readonly affects: 'itself' | 'host'
  /** True if later package steps may run before it: it does not affect packages, and they do not affect it. */
  readonly canWaitForPackages: boolean
  /** For a step that can be applied together with others of its kind. */
  readonly pool?: Pool
  /** The file that it sets a part of; several steps may set parts of one file. */
  readonly edits?: string
  /** Used by transactions to apply several edits of one file together; undefined if it is not an edit of a text. */
  readonly edit?: Edit
  /** For a step that makes one thing together with others, such as a file of fragments. */
  readonly joint?: Joint
  /** The steps that it applies as one. */
  readonly parts?: readonly Step[]
  /** The inbound traffic that this step allows; undefined if it does not control any. */
  readonly ingress?: readonly IngressRule[]
  /** The reason why its thing must not be replaced or removed; undefined if it is not protected. */
  readonly protection?: string
  /**
   * The step on hosts of a platform: another one, undefined for the step itself, or the reason why there is none, as a part of a sentence.
   * @default the step itself
   */
  readonly forPlatform?: (platform: Platform) => Step | string | undefined
  /** The reason why its failure does not fail the host. @default it does */
  readonly allowedFailure?: string
  /** Limits the number of hosts that apply it at once. @default no limit */
  readonly throttle?: Throttle
  /** True for a place in the steps where the handlers run that are due. @default false */
  readonly flushesHandlers?: boolean
  /** Runs on this machine before the comparison, for example to hash a large file. */
  readonly prepare?: () => Promise<void>
  readonly read: Read<unknown>
  /** Pure. @param have the result of `read` */
  readonly diff: (have: unknown) => Diff | undefined
  readonly apply: (have: unknown) => readonly Command[]
  /** Changes a fake host as `apply` changes a real one; undefined if that is not supported. */
  readonly simulate?: (host: FakeState) => void
}

/** A limit of the hosts that apply steps at once. */
export interface Throttle {
  /** Steps with this name share the limit, on all hosts and in all plays of a run. */
  readonly lock: string
  readonly limit: number
}

/** A step that sets one path of the file system, so that it can be prepared at another path, and rolled back. */
export interface Replacement {
  readonly path: string
  /** Creates the declared file at another path of the same directory, with owner and mode; undefined if the path must not exist. */
  readonly make: ((at: string) => Shell) | undefined
  /** True to keep a copy of the file that it replaces. @default false */
  readonly backup?: boolean
  /** The content to write into it after it is created, if it is too large for a script. */
  readonly content?: Streamed & { readonly size: number }
}

/** A step that changes the text of a file. The state of the file is the result of its `read`, which steps for one path share. */
export interface Edit {
  readonly path: string
  /** Pure. Returns the state after the step. @throws Problem */
  readonly after: (have: unknown) => unknown
  /** Creates the file in the state `to` at another path of the same directory. Fails if the file is no longer in the state `from`. */
  readonly stage: (from: unknown, to: unknown, at: string) => Shell
}

/** Steps of one thing in a play become one step, at the place of the first. */
export interface Joint {
  readonly thing: string
  /** The part of this step. */
  readonly value: unknown
  /** Pure. Returns the step for the parts of all steps. @throws InvalidParams if they contradict each other */
  readonly join: (values: readonly unknown[]) => Step
}

/** Applies several steps of one kind as one. */
export interface Pool {
  /** Only steps of pools with the same name are applied together. */
  readonly name: string
  /** The items of the step, such as packages; undefined if it is applied alone. @param have the result of its `read` */
  readonly items: (have: unknown) => readonly string[] | undefined
  /** Applies the items of all steps. */
  readonly apply: (all: readonly string[]) => readonly Command[]
  /** Starts preparations in the background, which end with the process `session` at the latest. */
  readonly prefetch: (all: readonly string[], session: number) => Shell
}

/** Options of every kind of step, besides its own. */
export interface StepOptions {
  /** Handlers that run at the end of the host's turn if the step has changed. */
  readonly notify?: Handler | readonly Handler[]
  /**
   * The time limit of each of its commands, after which it is killed with all processes that it started.
   * @default that of its kind, else 10 minutes
   */
  readonly timeout?: Duration
  /** Tags, for `--tags` and `--skip-tags`. */
  readonly tags?: readonly string[]
}

/** A kind of resource, as three pure functions: read, compare, apply. */
export interface Kind<P, H> {
  /** Returns the name of the thing. */
  readonly id: (params: P) => string
  /** @default 'host', which is always safe */
  readonly affects?: 'itself' | 'host'
  /** The things that it sets, by which `provision why` finds it, such as `{ type: 'unit', name: 'app.service' }`. @default its name, and its paths */
  readonly sets?: (params: P) => readonly Thing[]
  readonly prepare?: (params: P) => Promise<void>
  readonly read: (params: P) => Read<H>
  /** @returns undefined if no change is needed */
  readonly diff: (params: P, have: H) => Diff | undefined
  readonly apply: (params: P, have: H) => readonly CommandLike[]
  /**
   * Changes a fake host as `apply` changes a real one, so that roles with this kind can be tested without a host.
   * @default the fake host does not change, so a second converge plans the same change again
   */
  readonly simulate?: (params: P, host: FakeState) => void
  /** For kinds that set one path and may be part of a transaction. */
  readonly replace?: (params: P) => Replacement
  /** For kinds that set a part of a file. */
  readonly edits?: (params: P) => string
  /** For kinds that change the text of a file. */
  readonly edit?: {
    readonly path: (params: P) => string
    readonly after: (params: P, have: H) => H
    readonly stage: (params: P, from: H, to: H, at: string) => Shell
  }
  /** For kinds that apply several steps as one. */
  readonly parts?: (params: P) => readonly Step[]
  readonly satisfies?: (params: P) => readonly Handler[]
  readonly flushesHandlers?: boolean
  /** For kinds that control inbound traffic. */
  readonly ingress?: (params: P) => readonly IngressRule[]
  /**
   * True if later package steps may run before it, so that one apt run installs the packages of several roles. Set it if the kind neither
   * changes nor needs what packages change. @default false
   */
  readonly canWaitForPackages?: boolean
  readonly pool?: Omit<Pool, 'items'> & { readonly items: (params: P, have: H) => readonly string[] | undefined }
  /** The platforms that its scripts are for. If a host has another one, no host is changed. @default all */
  readonly platforms?: readonly Platform[]
}

/**
 * Creates a kind of resource: a function from params to a step.
 *
 * @example
 * const link = resource('link', {
 *   id: ({ path }) => path,
 *   affects: 'itself',
 *   read: ({ path }: { path: string; target: string }) => read(sh`readlink ${path}`, ({ code, stdout }) => code === 0 ? { target: stdout.trim() } : undefined),
 *   diff: ({ target }, have) => compare({ target }, have),
 *   apply: ({ path, target }) => [sh`ln -sfn ${target} ${path}`],
 * })
 */
export function resource<P, H>(kind: string, of: Kind<P, H>): (params: P, options?: StepOptions) => Step {
  return (params, { notify = [], timeout, tags = [] } = {}) => {
    if (timeout !== undefined) milliseconds(timeout)
    const step = Object.freeze({
      type: 'step',
      kind,
      name: of.id(params),
      source: callSite(),
      tags,
      notify: 'name' in notify ? [notify] : notify,
      satisfies: of.satisfies?.(params) ?? [],
      ...(of.sets && { sets: of.sets(params) }),
      ...(of.replace && { replace: of.replace(params) }),
      affects: of.affects ?? 'host',
      canWaitForPackages: of.canWaitForPackages ?? false,
      ...(of.pool && { pool: { ...of.pool, items: (have: unknown) => of.pool?.items(params, have as H) } }),
      ...(of.edits && { edits: of.edits(params) }),
      ...(of.edit && { edit: editOf(of.edit, params) }),
      ...(of.parts && { parts: of.parts(params) }),
      ...(of.flushesHandlers && { flushesHandlers: true }),
      ...(of.simulate && { simulate: (host: FakeState) => of.simulate?.(params, host) }),
      ...(of.ingress && { ingress: of.ingress(params) }),
      ...(of.platforms && { forPlatform: onlyFor(of.platforms) }),
      ...(of.prepare && { prepare: () => of.prepare?.(params) ?? Promise.resolve() }),
      read: of.read(params),
      // A step receives the results of its own read only.
      diff: (have: unknown) => of.diff(params, have as H),
      apply: (have: unknown) =>
        of
          .apply(params, have as H)
          .map(asCommand)
          .map((command) => (timeout === undefined ? command : { ...command, timeout })),
    } satisfies Step)
    MADE.set(step, { kind: of, params, notify, timeout, tags })
    return step
  }
}

/** The `forPlatform` of a step that has scripts for some platforms only. */
export function onlyFor(platforms: readonly Platform[]): NonNullable<Step['forPlatform']> {
  return (platform) =>
    platforms.includes(platform) ? undefined : `it has scripts only for the platform ${platforms.join(' and ')}`
}

/** The values that a step was made from. */
interface Made {
  /** Identifies the kind. */
  readonly kind: object
  readonly params: unknown
  readonly notify: Handler | readonly Handler[]
  readonly timeout: Duration | undefined
  readonly tags: readonly string[]
}

/** Not a field of steps: a copy of a step with other fields is not made from them. */
const MADE = new WeakMap<Step, Made>()

/** Undefined for a step that no kind has made as it is. Steps that are made from equal values are equal. */
export function madeFrom(step: Step): Made | undefined {
  return MADE.get(step)
}

function editOf<P, H>({ path, after, stage }: NonNullable<Kind<P, H>['edit']>, params: P): Edit {
  return {
    path: path(params),
    after: (have) => after(params, have as H),
    stage: (from, to, at) => stage(params, from as H, to as H, at),
  }
}

/** Inbound traffic that the firewall of a host allows. */
export interface IngressRule {
  /** TCP ports; texts for ranges and UDP, such as `8000-8100` and `53/udp`; or a protocol without ports. */
  readonly to: readonly (number | string)[] | 'vrrp'
  /** Addresses and networks. */
  readonly from: 'anywhere' | readonly string[]
}

/** All things that a step sets, without those of its parts. The first is named by its kind. */
export function thingsOf({ kind, name, on, sets = [], replace, edits, ingress = [] }: Step): readonly Thing[] {
  const suffix = on ? ` on ${on.name}` : ''
  const own = { type: kind, name: name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name }
  const paths = [replace?.path, edits].flatMap((path) => (path === undefined ? [] : [{ type: 'path', name: path }]))
  const ports = ingress.flatMap(({ to }) => (typeof to === 'string' ? [] : to))
  const all = [own, ...sets, ...paths, ...ports.map((port) => ({ type: 'port', name: String(port) }))]
  return [...new Map(all.map((thing) => [`${thing.type} ${thing.name}`, thing])).values()]
}
