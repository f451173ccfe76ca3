import { Problem } from '../../model/problem.ts'
import { compare, type Diff } from '../../model/resource/diff.ts'
import { readAll, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { file, simulateFile } from '../files/file.ts'
import { fileDiff } from '../files/file-diff.ts'
import { type AbsolutePath, type Entry, entryAt } from '../files/stat.ts'
import {
  type Assignment,
  assignmentsOf,
  kernelValue,
  normalizedValue,
  overriding,
  procPath,
  sameValue,
} from './sysctl-reads.ts'

/**
 * Kernel settings, now and after a boot. They are written to `/etc/sysctl.d/60-NAME.conf` after the kernel has accepted them.
 *
 * @param name of the file, without prefix and suffix
 * @param settings by key. If a part of the key contains a dot, such as the interface `eth0.100`, write the key with slashes:
 *   `net/ipv4/conf/eth0.100/rp_filter`
 * @throws TypeError for a pattern as a key and a value of several lines
 * @throws Problem (on the host) if a file that is read later at boot has another value
 * @example sysctl('vip', { 'net.ipv4.ip_nonlocal_bind': 1 })
 */
export function sysctl(
  name: string,
  settings: Readonly<Record<string, string | number>>,
  options: StepOptions = {},
): Step {
  if (!/^[\w.-]+$/.test(name)) throw new TypeError(`sysctl: "${name}" is not the name of a file`)
  for (const [key, value] of Object.entries(settings)) {
    if (!/^[\w./:@-]+$/.test(key))
      throw new TypeError(`sysctl ${name}: "${key}" is not a single key; patterns are not expanded, so name each key`)
    if (/[\n\0]/.test(String(value))) throw new TypeError(`sysctl ${name}: the value of ${key} has several lines`)
  }
  const path: AbsolutePath = `/etc/sysctl.d/60-${name}.conf`
  checkPath(`sysctl ${name}`, path)
  return sysctlStep({ name, path, settings }, options)
}

interface SysctlParams {
  readonly name: string
  readonly path: AbsolutePath
  readonly settings: Readonly<Record<string, string | number>>
}

/** The file; for each setting its current value and its assignments at boot. */
type SysctlState = readonly [
  Entry | undefined,
  readonly [readonly (string | undefined)[], readonly (readonly Assignment[])[]],
]

const sysctlStep = resource<SysctlParams, SysctlState>('sysctl', {
  id: ({ name }) => name,
  affects: 'itself',
  canWaitForPackages: true,
  read: (params) => {
    const keys = Object.keys(wanted(params))
    return readBoth(
      entryAt({ path: params.path, content: () => Buffer.byteLength(wantedFile(params).content) }),
      readBoth(readAll(keys.map(kernelValue)), readAll(keys.map(assignmentsOf))),
    )
  },
  diff: (params, [have, [live, assignments]]): Diff | undefined => {
    const settings = Object.entries(wanted(params))
    for (const [i, [key, value]] of settings.entries()) {
      const later = overriding(assignments[i] ?? [], { path: params.path, value })
      if (later) throw overridden(key, value, later)
    }
    const fileChange = fileDiff(wantedFile(params), have)
    const now = settings.map(([key, value], i) => [key, sameValue(value, live[i]) ? value : live[i]] as const)
    return compare(Object.fromEntries(settings), Object.fromEntries(now)) ?? fileChange
  },
  apply: (params, [have]) => {
    const { content, path } = wantedFile(params)
    return [setAll(wanted(params)), ...file(path, content).apply(have)]
  },
  simulate: (params, host) => {
    simulateFile(wantedFile(params), host)
    for (const [key, value] of Object.entries(wanted(params))) host.sysctls.set(key, value)
  },
})

/** Sets the values and reads them back: the kernel may accept a value and store another one. */
function setAll(settings: Readonly<Record<string, string>>): Shell {
  const values = Object.entries(settings).flatMap(([key, value]) => [key, procPath(key), value, normalizedValue(value)])
  return sh`set -- ${values}
while [ $# -gt 0 ]; do
  [ -e "$2" ] || { echo "the kernel has no setting $1: there is no $2. If a part of the key contains a dot, write the key with slashes" >&2; exit 1; }
  printf '%s\n' "$3" >"$2" || { echo "the kernel does not accept $1 = $3" >&2; exit 1; }
  now=$(set -f; echo $(cat "$2"))
  [ "$now" = "$4" ] || { echo "the kernel accepted $1 = $3 and stored '$now': use that value" >&2; exit 1; }
  shift 4
done`
}

function overridden(key: string, value: string, { path, value: other }: Assignment): Problem {
  return new Problem(`${path} sets ${key} = ${other} at boot, which overrides the wanted ${value}`, {
    next: `Remove that line from ${path}, in a step before this one or on the host.`,
  })
}

function wanted({ settings }: SysctlParams): Readonly<Record<string, string>> {
  return Object.fromEntries(
    forwardingFirst(settings).map(([key, value]) => [key, String(value).replace(/\s+/g, ' ').trim()]),
  )
}

/** Forwarding comes first: a change of it makes the kernel reset other network settings, such as accept_redirects. */
function forwardingFirst<V>(settings: Readonly<Record<string, V>>): readonly (readonly [string, V])[] {
  const all = Object.entries(settings)
  const isFirst = ([key]: readonly [string, V]) => /(?:^|[./])(?:ip_forward|forwarding)$/.test(key)
  return [...all.filter(isFirst), ...all.filter((one) => !isFirst(one))]
}

function wantedFile(params: SysctlParams) {
  const content = forwardingFirst(params.settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
  return { path: params.path, content, owner: 'root', group: 'root', mode: '0644' }
}
