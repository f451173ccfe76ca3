import { read, resource, sh } from 'provision-ts'
import { type Dynamic, type Json, REST } from '../params.ts'

interface DynamicParams {
  /** Null for what is not to be there. Other settings, of people, are left as they are. */
  readonly wanted: Dynamic
}

/**
 * The settings that the cluster has in common: read, compared and changed by the REST API of this host. Only those that differ are sent.
 */
export const dynamicConfiguration = resource<DynamicParams, Dynamic | undefined>('patroni settings', {
  id: () => 'of the cluster',
  affects: 'itself',
  read: () =>
    read(sh`[ ! -x ${REST} ] || PATRONI_TIMEOUT=5 ${REST} GET /config 2>/dev/null`, ({ stdout }) =>
      parseConfig(stdout),
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

/** @returns undefined when it does not answer */
export function parseConfig(stdout: string): Dynamic | undefined {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.at(-1) !== '200') return undefined
  return JSON.parse(lines.slice(0, -1).join('\n'))
}

interface Differing {
  readonly path: readonly string[]
  readonly from: Json | undefined
  readonly to: Json
}

export function differing(
  wanted: Dynamic,
  have: Dynamic,
  above: readonly string[] = [],
): readonly Differing[] {
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
