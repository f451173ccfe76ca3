import { compare, type Difference } from '../model/difference.ts'
import { family, readAll, together } from '../model/read.ts'
import { resource, type Step, type StepOptions } from '../model/step.ts'
import { sh } from '../shell/sh.ts'
import { differenceOf, file, sketchFile } from './file.ts'
import { type AbsolutePath, type Entry, entryAt } from './paths.ts'

const liveValue = family<string, string | undefined>({
  name: 'sysctl',
  script: (keys) =>
    sh`for key in ${keys}; do printf '%s\n' "$(sysctl -n -- "$key" 2>/dev/null | tr -s '\t ' ' ')"; done`,
  parse: ({ stdout }, keys) => keys.map((_key, i) => stdout.split('\n')[i] || undefined),
  sketched: ({ sysctls }, key) => sysctls.get(key),
})

/**
 * Settings of the kernel, now and after a boot.
 *
 * @param name of the file below /etc/sysctl.d
 * @example sysctl('vip', { 'net.ipv4.ip_nonlocal_bind': 1 })
 */
export function sysctl(
  name: string,
  settings: Readonly<Record<string, string | number>>,
  options: StepOptions = {},
): Step {
  const path: AbsolutePath = `/etc/sysctl.d/60-${name}.conf`
  return sysctlStep({ name, path, settings }, options)
}

interface SysctlParams {
  readonly name: string
  readonly path: AbsolutePath
  readonly settings: Readonly<Record<string, string | number>>
}

const sysctlStep = resource<SysctlParams, readonly [Entry | undefined, readonly (string | undefined)[]]>(
  'sysctl',
  {
    id: ({ name }) => name,
    reach: 'own',
    yields: true,
    read: (params) =>
      together(
        entryAt({ path: params.path, content: () => Buffer.byteLength(wantedFile(params).content) }),
        readAll(Object.keys(params.settings).map(liveValue)),
      ),
    diff: (params, [have, live]): Difference | undefined => {
      const kept = differenceOf(wantedFile(params), have)
      const now = Object.keys(params.settings).map((key, i) => [key, live[i]] as const)
      const set = compare(wanted(params), Object.fromEntries(now))
      return set ?? kept
    },
    apply: (params, [have]) => {
      const { content, path } = wantedFile(params)
      return [...file(path, content).apply(have), sh`sysctl -q -p ${path}`]
    },
    becomes: (params, host) => {
      sketchFile(wantedFile(params), host)
      for (const [key, value] of Object.entries(wanted(params))) host.sysctls.set(key, value)
    },
  },
)

function wanted({ settings }: SysctlParams): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, String(value).replace(/\s+/g, ' ')]),
  )
}

function wantedFile(params: SysctlParams) {
  const content = Object.entries(params.settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
  return { path: params.path, content, owner: 'root', group: 'root', mode: '0644' }
}
