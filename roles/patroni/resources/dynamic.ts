import { read, resource, sh } from 'provision-ts'
import { CONTROL } from '../../etcd/params.ts'
import { type Dynamic, type Json, NAMESPACE, REST, SCOPE } from '../params.ts'

interface DynamicParams {
  /** Null for keys to remove. Other keys stay as they are. */
  readonly wanted: Dynamic
}

/**
 * The settings that the cluster has in common, in etcd. The REST API of this host changes them; only those that differ are sent.
 */
export const dynamicConfiguration = resource<DynamicParams, Dynamic | undefined>('patroni settings', {
  id: () => 'of the cluster',
  affects: 'itself',
  // From etcd itself: the REST API answers from a copy, which is older for a moment after a change.
  read: () =>
    read(
      sh`[ ! -x ${CONTROL} ] || ${CONTROL} get --print-value-only ${`${NAMESPACE}${SCOPE}/config`} 2>/dev/null`,
      ({ stdout }) => parseConfig(stdout),
    ),
  diff: ({ wanted }, have) => {
    const fields = differing(wanted, have ?? {}).map(({ path, from, to }) => ({
      name: path.join('.'),
      ...(from !== undefined && { from: shown(from) }),
      to: shown(to),
    }))
    return fields.length === 0 ? undefined : { action: have ? 'change' : 'create', fields }
  },
  apply: ({ wanted }, have) => {
    const patch = nested(differing(wanted, have ?? {}))
    return [
      {
        script: sh`said=$(${REST} PATCH /config ${JSON.stringify(patch)}) && [ "$(printf '%s\n' "$said" | tail -n 1)" = 200 ] || { printf '%s\n' "$said" >&2; exit 1; }`,
        retries: { times: 5, every: '1s' },
      },
    ]
  },
})

/** @returns undefined when etcd does not answer, or has none */
export function parseConfig(stdout: string): Dynamic | undefined {
  return stdout.trim() === '' ? undefined : JSON.parse(stdout)
}

interface Differing {
  readonly path: readonly string[]
  readonly from: Json | undefined
  readonly to: Json
}

export function differing(wanted: Dynamic, have: Dynamic, above: readonly string[] = []): readonly Differing[] {
  return Object.entries(wanted).flatMap(([name, to]) => {
    const path = [...above, name]
    const from = have[name]
    if (isObject(to)) return differing(to, isObject(from) ? from : {}, path)
    if (to === null) return from === undefined || from === null ? [] : [{ path, from, to }]
    return String(from) === String(to) ? [] : [{ path, from, to }]
  })
}

function nested(all: readonly Differing[]): Dynamic {
  return all.reduce<Dynamic>((patch, { path, to }) => put(patch, path, to), {})
}

function put(into: Dynamic, [name = '', ...below]: readonly string[], value: Json): Dynamic {
  const there = into[name]
  return { ...into, [name]: below.length === 0 ? value : put(isObject(there) ? there : {}, below, value) }
}

function isObject(value: Json | undefined): value is Dynamic {
  return typeof value === 'object' && value !== null
}

function shown(value: Json): string {
  if (value === null) return 'unset'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
