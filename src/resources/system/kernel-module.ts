import type { Steps } from '../../model/playbook/steps.ts'
import { Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'
import { batchRead } from '../../model/resource/read.ts'
import { resource, type StepOptions } from '../../model/resource/step.ts'
import { sh } from '../../shell/sh.ts'
import { file } from '../files/file.ts'

/** Options of {@link kernelModule}. */
export interface KernelModuleOptions extends StepOptions {
  /** Parameters of the module, by name. A module that is loaded keeps its old ones until it is loaded again. @default none */
  readonly params?: Readonly<Record<string, string | number>>
}

/**
 * A module of the kernel that is loaded, now and after a boot. A module that is built into the kernel counts as loaded.
 *
 * A container has no kernel of its own: leave the step out there, `!facts.container && kernelModule(…)`.
 *
 * @throws TypeError for an invalid name or parameter
 * @throws Problem (on the host) in a container where the module is not loaded
 * @example kernelModule('br_netfilter')
 */
export function kernelModule(name: string, { params = {}, ...options }: KernelModuleOptions = {}): Steps {
  const module = moduleName('kernelModule', name)
  const words = Object.entries(params).map(([key, value]) => {
    if (!/^\w+$/.test(key) || !/^[^\s"']*$/.test(String(value)))
      throw new TypeError(`kernelModule ${name}: ${key}=${value} is not a parameter without spaces and quotes`)
    return `${key}=${value}`
  })
  return [
    file(`/etc/modules-load.d/provision-${module}.conf`, `${module}\n`, options),
    words.length > 0 &&
      file(`/etc/modprobe.d/provision-${module}.conf`, `options ${module} ${words.join(' ')}\n`, options),
    moduleStep({ module, isLoaded: true }, options),
  ]
}

/**
 * A module that is not loaded, neither by its devices nor by other programs. A module that the initramfs loads stays until
 * `notify: handler('update the initramfs', sh`update-initramfs -u`)` and a boot.
 */
kernelModule.blocked = (name: string, options: StepOptions = {}): Steps => {
  const module = moduleName('kernelModule.blocked', name)
  return [
    file(`/etc/modprobe.d/provision-${module}.conf`, `blacklist ${module}\ninstall ${module} /bin/false\n`, options),
    moduleStep({ module, isLoaded: false }, options),
  ]
}

/** The kernel writes `_` for `-`. */
function moduleName(what: string, name: string): string {
  if (!/^[A-Za-z0-9_-]{1,56}$/.test(name)) throw new TypeError(`${what}: "${name}" is not the name of a module`)
  return name.replaceAll('-', '_')
}

interface ModuleParams {
  readonly module: string
  readonly isLoaded: boolean
}

interface ModuleState {
  readonly state: 'loaded' | 'built in' | 'absent'
  readonly isContainer: boolean
}

/** A loaded module has a file `initstate`; one that is built in has none, and its directory only if it has parameters. */
const moduleState = batchRead<string, ModuleState>({
  name: 'kernel modules',
  dependsOn: (module) => [`/sys/module/${module}`],
  shared: true,
  script: (modules) => sh`builtin=
for file in "/lib/modules/$(uname -r)/modules.builtin"; do [ ! -r "$file" ] || while IFS= read -r line; do builtin="$builtin \${line##*/}"; done <"$file"; done
for module in ${modules}; do
  state=absent
  if [ ! -d /sys/module ]; then
    # A container of systemd-nspawn sees only the list of loaded modules.
    [ ! -r /proc/modules ] || while read -r one rest; do [ "$one" != "$module" ] || state=loaded; done </proc/modules
  elif [ -e "/sys/module/$module/initstate" ]; then state=loaded
  elif [ -d "/sys/module/$module" ]; then state='built in'
  else for one in $builtin; do case $one in *-*) one=$(printf %s "$one" | tr - _) ;; esac; case $one in "$module".ko*) state='built in' ;; esac; done; fi
  printf '%s\n' "$state"
done
[ ! -e /run/systemd/container ] || echo container`,
  parse: ({ stdout }, modules) => {
    const lines = stdout.split('\n')
    return modules.map((_module, i): ModuleState => {
      const state = lines[i] === 'loaded' || lines[i] === 'built in' ? lines[i] : 'absent'
      return { state, isContainer: lines.includes('container') }
    })
  },
  fakeValue: ({ modules, facts }, module) => ({
    state: modules.has(module) ? 'loaded' : 'absent',
    isContainer: facts.container,
  }),
})

const moduleStep = resource<ModuleParams, ModuleState>('kernel module', {
  id: ({ module }) => module,
  affects: 'itself',
  read: ({ module }) => moduleState(module),
  diff: ({ module, isLoaded }, { state, isContainer }): Diff | undefined => {
    if (isLoaded ? state !== 'absent' : state === 'absent') return undefined
    const found: Diff = {
      action: isLoaded ? 'start' : 'stop',
      fields: [{ name: 'module', from: state, to: isLoaded ? 'loaded' : 'absent' }],
    }
    if (isContainer)
      throw new Problem(
        `The host is a container, so the module ${module} cannot be ${isLoaded ? 'loaded' : 'removed'}`,
        { next: 'Leave the step out in containers (facts.container), and set the module on the machine below.' },
      )
    if (state === 'built in')
      throw new Problem(`The module ${module} is built into the kernel, so it cannot be removed`)
    return found
  },
  apply: ({ module, isLoaded }) => [isLoaded ? sh`modprobe ${module}` : sh`modprobe -r ${module}`],
  simulate: ({ module, isLoaded }, { modules }) => void (isLoaded ? modules.add(module) : modules.delete(module)),
})
