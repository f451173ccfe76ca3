import { batchRead } from '../../model/resource/read.ts'
import { type Shell, sh } from '../../shell/sh.ts'
import { baseName } from '../files/staging.ts'

/** The file of a setting. The first separator of the key is the separator: `net.ipv4.ip_forward`, or `net/ipv4/conf/eth0.100/rp_filter`. */
export function procPath(key: string): string {
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
export interface Assignment {
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
export function overriding(
  all: readonly Assignment[],
  own: { readonly path: string; readonly value: string },
): Assignment | undefined {
  const last = all.findLast(({ path }) => path !== own.path && baseName(path) > baseName(own.path))
  return last && !sameValue(own.value, last.value) ? last : undefined
}

/** True if two texts are the same value: the kernel prints numbers in decimal and white space as a tab. */
export function sameValue(a: string, b: string | undefined): boolean {
  return b !== undefined && normalizedValue(a) === normalizedValue(b)
}

/** The text as the kernel prints it. */
export function normalizedValue(text: string): string {
  return text.trim().split(/\s+/).map(inDecimal).join(' ')
}

function inDecimal(value: string): string {
  if (/^0x[0-9a-f]+$/i.test(value)) return String(Number(value))
  if (/^0[0-7]+$/.test(value)) return String(Number.parseInt(value, 8))
  return value
}
