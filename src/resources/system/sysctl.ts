import { Problem } from '../../model/problem.ts'
import { compare, type Diff } from '../../model/resource/diff.ts'
import { batchRead, readAll, readBoth } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { checkPath } from '../arguments.ts'
import { file, simulateFile } from '../files/file.ts'
import { fileDiff } from '../files/file-diff.ts'
import { baseName } from '../files/staging.ts'
import { type AbsolutePath, type Entry, entryAt } from '../files/stat.ts'

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
  sets: ({ path, settings }) => [
    { type: 'path', name: path },
    ...Object.keys(settings).map((name) => ({ type: 'sysctl', name })),
  ],
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

/** The file of a setting. The first separator of the key is the separator: `net.ipv4.ip_forward`, or `net/ipv4/conf/eth0.100/rp_filter`. */
function procPath(key: string): string {
  const separator = /[./]/.exec(key)?.[0]
  return `/proc/sys/${separator === '.' ? key.replace(/[./]/g, (one) => (one === '.' ? '/' : '.')) : key}`
}

/**
 * Prints the kernel's values and all boot settings with one `grep`. Both reads use the same script, so it runs once. The `read` of a shell
 * cannot be used: it reads byte by byte, and the kernel returns a number only as a whole.
 */
function settingsScript(keys: readonly string[]): Shell {
  return sh`grep -sHv '^[[:space:]]*[#;]' -- ${[...new Set(keys.map(procPath))]} /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf; :`
}

/** The current value; undefined if the kernel has no such setting. */
export const kernelValue = batchRead<string, string | undefined>({
  name: 'sysctl',
  dependsOn: (key) => [procPath(key)],
  shared: true,
  script: settingsScript,
  parse: ({ stdout }, keys) => {
    const values = new Map<string, string>()
    for (const line of stdout.split('\n')) {
      const cut = line.indexOf(':')
      const path = line.slice(0, cut)
      if (!values.has(path))
        values.set(
          path,
          line
            .slice(cut + 1)
            .replace(/\s+/g, ' ')
            .trim(),
        )
    }
    return keys.map((key) => values.get(procPath(key)))
  },
  fakeValue: ({ sysctls }, key) => sysctls.get(key),
})

/** A setting in a file that is read at boot. */
interface Assignment {
  readonly path: string
  readonly value: string
}

/** By precedence: of files with the same name, systemd-sysctl reads only the one in the first folder. */
const FOLDERS = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d']

/** The files that set a key at boot, in the order in which systemd-sysctl reads them. */
export const assignmentsOf = batchRead<string, readonly Assignment[]>({
  name: 'sysctl files',
  // Two steps with the same key are a conflict, which the last read detects.
  dependsOn: () => FOLDERS,
  shared: true,
  script: settingsScript,
  parse: ({ stdout }, keys) => {
    const all = stdout.split('\n').flatMap((line) => {
      const [, path, key, value] = /^(\/[^:]+\.conf):\s*-?\s*([^#;=\s]+)\s*=\s*(.*)$/.exec(line) ?? []
      return path === undefined || key === undefined ? [] : [{ path, key: procPath(key), value: (value ?? '').trim() }]
    })
    const read = all.filter(({ path }) => all.every((other) => !hides(other.path, path)))
    const inOrder = [...read].sort((a, b) =>
      baseName(a.path) < baseName(b.path) ? -1 : baseName(a.path) > baseName(b.path) ? 1 : 0,
    )
    return keys.map((wanted) =>
      inOrder.flatMap(({ path, key, value }) => (key === procPath(wanted) ? [{ path, value }] : [])),
    )
  },
  fakeValue: () => [],
})

function hides(one: string, other: string): boolean {
  const rank = (path: string) => FOLDERS.findIndex((folder) => path.startsWith(`${folder}/`))
  return baseName(one) === baseName(other) && rank(one) < rank(other)
}

/** The last assignment at boot, if it comes after the one of our file and has another value. */
function overriding(
  all: readonly Assignment[],
  own: { readonly path: string; readonly value: string },
): Assignment | undefined {
  const last = all.findLast(({ path }) => path !== own.path && baseName(path) > baseName(own.path))
  return last && !sameValue(own.value, last.value) ? last : undefined
}

/** True if two texts are the same value: the kernel prints numbers in decimal and white space as a tab. */
function sameValue(a: string, b: string | undefined): boolean {
  return b !== undefined && normalizedValue(a) === normalizedValue(b)
}

/** The text as the kernel prints it. */
function normalizedValue(text: string): string {
  return text.trim().split(/\s+/).map(inDecimal).join(' ')
}

function inDecimal(value: string): string {
  if (/^0x[0-9a-f]+$/i.test(value)) return String(Number(value))
  if (/^0[0-7]+$/.test(value)) return String(Number.parseInt(value, 8))
  return value
}
