import { InvalidParams } from '../../model/problem.ts'
import type { Step, StepOptions } from '../../model/resource/step.ts'
import { Secret } from '../../shell/secret.ts'
import { file } from './file.ts'
import type { AbsolutePath } from './stat.ts'

interface ConcatOptions extends StepOptions {
  /** @default 'root' */
  readonly owner?: string
  /** @default the owner's name */
  readonly group?: string
  /** Three or four octal digits. @default '0644'; '0600' if a fragment is a secret */
  readonly mode?: string
}

/**
 * A fragment of a file that several roles write together. The fragments of one path in a play become one step, at the place of the first:
 * it writes them in the order of their keys, and has the handlers and tags of all. A fragment that no role declares any more is gone with
 * the next run.
 *
 * @param key orders the fragments: `10-base`
 * @param text a line feed is added to its end if it has none
 * @throws TypeError for an invalid path or mode, and for an empty key
 * @throws InvalidParams for two fragments of one key with different texts, two that want another owner or mode, and fragments in two plays
 * @example concat('/etc/nginx/conf.d/limits.conf', '10-base', 'limit_req_zone $binary_remote_addr zone=a:1m rate=5r/s;\n')
 */
export function concat(
  path: AbsolutePath,
  key: string,
  text: string | Secret,
  { owner, group, mode, ...options }: ConcatOptions = {},
): Step {
  if (key === '') throw new TypeError(`concat ${path}: the key is empty`)
  return made({ path, fragments: [{ key, text }], ownership: { owner, group, mode } }, options)
}

interface Fragment {
  readonly key: string
  readonly text: string | Secret
}

interface Ownership {
  readonly owner: string | undefined
  readonly group: string | undefined
  readonly mode: string | undefined
}

interface ConcatParams {
  readonly path: AbsolutePath
  readonly fragments: readonly Fragment[]
  readonly ownership: Ownership
}

function made(params: ConcatParams, options: StepOptions): Step {
  const { path, fragments, ownership } = params
  const { owner, group, mode } = ownership
  const own = {
    ...(owner !== undefined && { owner }),
    ...(group !== undefined && { group }),
    ...(mode !== undefined && { mode }),
  }
  // A part of the file is nothing that a transaction could replace.
  const { replace, ...step } = file(path, contentOf(fragments), { ...own, ...options })
  return Object.freeze({
    ...step,
    kind: 'concat',
    joint: {
      thing: `concat ${path}`,
      value: params,
      // Steps of one thing have the values of this kind.
      join: (values: readonly unknown[]) => made(joined(values as readonly ConcatParams[]), {}),
    },
  })
}

function contentOf(fragments: readonly Fragment[]): string | Secret {
  const sorted = [...fragments].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const whole = () =>
    sorted
      .map(({ text }) => (text instanceof Secret ? text.reveal() : text))
      .map((text) => (text.endsWith('\n') || text === '' ? text : `${text}\n`))
      .join('')
  return sorted.some(({ text }) => text instanceof Secret) ? new Secret(whole) : whole()
}

/** @throws InvalidParams if they contradict each other */
function joined(all: readonly ConcatParams[]): ConcatParams {
  const path = all[0]?.path ?? '/'
  const fragments = new Map<string, Fragment>()
  for (const one of all.flatMap((params) => params.fragments)) {
    const other = fragments.get(one.key)
    if (other && other.text !== one.text)
      throw new InvalidParams(`concat ${path} has two texts for the key ${one.key}`, {
        next: 'Give each fragment a key of its own.',
      })
    fragments.set(one.key, one)
  }
  const only = (name: keyof Ownership) => {
    const values = [...new Set(all.flatMap(({ ownership }) => ownership[name] ?? []))]
    if (values.length > 1)
      throw new InvalidParams(`concat ${path}: its fragments want ${name} ${values.join(' and ')}`, {
        next: 'Give it in one place, or the same everywhere.',
      })
    return values[0]
  }
  return {
    path,
    fragments: [...fragments.values()],
    ownership: { owner: only('owner'), group: only('group'), mode: only('mode') },
  }
}
