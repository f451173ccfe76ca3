import { type Duration, milliseconds } from '../../shell/duration.ts'
import type { Shell } from '../../shell/sh.ts'
import type { Host } from '../inventory/host.ts'
import { callSite, type Source } from '../source.ts'
import { asCommand, type Command, type CommandLike, type Streamed } from './command.ts'
import type { Diff } from './diff.ts'
import type { FakeState } from './fake-state.ts'
import type { Handler } from './handler.ts'
import type { Read } from './read.ts'

/** A wish about one thing on a host, as a value: how to ask, what differs, what to do about it. */
export interface Step {
  readonly type: 'step'
  readonly kind: string
  /** What of that kind: a path, the name of a package. */
  readonly name: string
  /** Where its author wrote it. */
  readonly source: Source | undefined
  /** Words for `--tags`. */
  readonly tags: readonly string[]
  readonly notify: readonly Handler[]
  /** The host that it is for, when that is not the one whose turn it is. */
  readonly on?: Host
  /** Handlers that its own change carries out, so that they are not due again; still, a run that dies on the way owes them. */
  readonly satisfies: readonly Handler[]
  /** How a transaction makes and undoes it; undefined for what cannot be undone. */
  readonly replace?: Replacement
  /**
   * How far a change of it reaches. `itself`: nothing but itself changes, so later steps are read again only where their questions may depend
   * on it. `host`: anything may have changed, as after the installation of a package.
   */
  readonly affects: 'itself' | 'host'
  /** True if later package steps may run before it: it does not affect packages, and they do not affect it. */
  readonly canWaitForPackages: boolean
  /** For what can be done together with others of its kind. */
  readonly pool?: Pool
  /** The file of which it sets a part; several steps may set parts of one file. */
  readonly edits?: string
  /** The steps that it takes as one. */
  readonly parts?: readonly Step[]
  /** Whom the host lets in once this is as wanted; undefined for what does not decide that. */
  readonly ingress?: readonly IngressRule[]
  /** What is to be found out on this machine before it can be compared, such as the hash of a large file. */
  readonly prepare?: () => Promise<void>
  readonly read: Read<unknown>
  /** Pure. @param have what `read` gave */
  readonly diff: (have: unknown) => Diff | undefined
  readonly apply: (have: unknown) => readonly Command[]
  /** Changes a host that a test has made up as `apply` would change a real one; undefined when it cannot say. */
  readonly simulate?: (host: FakeState) => void
}

/** A step that sets one path of the file system, so that it can be made elsewhere first and taken back. */
export interface Replacement {
  readonly path: string
  /** Makes what is wanted at another path of the same directory, with owner and mode; undefined when nothing is to be there. */
  readonly make: ((at: string) => Shell) | undefined
  /** Whether a copy of the file that it replaces is kept. @default false */
  readonly backup?: boolean
  /** What is to be put into it once it is made, when that is too much for a script. */
  readonly content?: Streamed & { readonly size: number }
}

/** How several steps of one kind are done as one. */
export interface Pool {
  /** Only steps of pools with the same name go together. */
  readonly name: string
  /** What the step items to the common task; undefined when it goes alone. @param have what its `read` gave */
  readonly items: (have: unknown) => readonly string[] | undefined
  /** Does all that the steps add. */
  readonly apply: (all: readonly string[]) => readonly Command[]
  /** Begins in the background what can be prepared, and ends with this process at the latest. */
  readonly prefetch: (all: readonly string[], session: number) => Shell
}

/** What every kind of step takes beside its own options. */
export interface StepOptions {
  /** What to do at the end of the host's turn when this has changed. */
  readonly notify?: Handler | readonly Handler[]
  /** When each of its commands is given up and killed with all that it started. @default what its kind says; 10 minutes */
  readonly timeout?: Duration
  /** Words for `--tags` and `--skip-tags`. */
  readonly tags?: readonly string[]
}

/** A kind of thing, in three pure functions: ask, compare, act. */
export interface Kind<P, H> {
  /** What of the params names the thing. */
  readonly id: (params: P) => string
  /** @default 'host', which is always safe */
  readonly affects?: 'itself' | 'host'
  readonly prepare?: (params: P) => Promise<void>
  readonly read: (params: P) => Read<H>
  /** @returns undefined when there is nothing to do */
  readonly diff: (params: P, have: H) => Diff | undefined
  readonly apply: (params: P, have: H) => readonly CommandLike[]
  /**
   * Changes a host that a test has made up as `apply` would change a real one, so that roles with this kind can be tested without a host.
   * @default after its change the fake host is as before, and a second converge plans it again
   */
  readonly simulate?: (params: P, host: FakeState) => void
  /** For what sets one path and may stand in a transaction. */
  readonly replace?: (params: P) => Replacement
  /** For what sets a part of a file. */
  readonly edits?: (params: P) => string
  /** For what takes several steps as one. */
  readonly parts?: (params: P) => readonly Step[]
  readonly satisfies?: (params: P) => readonly Handler[]
  /** For what decides whom the host lets in. */
  readonly ingress?: (params: P) => readonly IngressRule[]
  /**
   * True if later package steps may run before it, so that one apt run installs the packages of several roles. Set it if the kind neither
   * changes nor needs what packages change. @default false
   */
  readonly canWaitForPackages?: boolean
  readonly pool?: Omit<Pool, 'items'> & {
    readonly items: (params: P, have: H) => readonly string[] | undefined
  }
}

/**
 * Makes a kind of resource: a function from params to a step.
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
    return Object.freeze({
      type: 'step',
      kind,
      name: of.id(params),
      source: callSite(),
      tags,
      notify: 'name' in notify ? [notify] : notify,
      satisfies: of.satisfies?.(params) ?? [],
      ...(of.replace && { replace: of.replace(params) }),
      affects: of.affects ?? 'host',
      canWaitForPackages: of.canWaitForPackages ?? false,
      ...(of.pool && { pool: { ...of.pool, items: (have: unknown) => of.pool?.items(params, have as H) } }),
      ...(of.edits && { edits: of.edits(params) }),
      ...(of.parts && { parts: of.parts(params) }),
      ...(of.simulate && { simulate: (host: FakeState) => of.simulate?.(params, host) }),
      ...(of.ingress && { ingress: of.ingress(params) }),
      ...(of.prepare && { prepare: () => of.prepare?.(params) ?? Promise.resolve() }),
      read: of.read(params),
      // A step is given back only what its own read has made.
      diff: (have: unknown) => of.diff(params, have as H),
      apply: (have: unknown) =>
        of
          .apply(params, have as H)
          .map(asCommand)
          .map((command) => (timeout === undefined ? command : { ...command, timeout })),
    } satisfies Step)
  }
}

/** Whom a host lets in, as its own firewall has it. */
export interface IngressRule {
  /** TCP ports, or a protocol without ports. */
  readonly to: readonly number[] | 'vrrp'
  /** Addresses and networks. */
  readonly from: 'anywhere' | readonly string[]
}
