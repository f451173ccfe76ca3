import { Problem } from '../../model/problem.ts'
import type { Diff } from '../../model/resource/diff.ts'
import { batchRead } from '../../model/resource/read.ts'
import { resource, type Step, type StepOptions } from '../../model/resource/step.ts'
import { joinLines, sh } from '../../shell/sh.ts'
import { checkName, checkPath } from '../arguments.ts'
import type { AbsolutePath } from '../files/stat.ts'

/** Options of {@link alternatives}. */
export interface AlternativesOptions extends StepOptions {
  /** Registers the path if it is not one of the alternatives: the link that programs use, such as `/usr/bin/editor`. @default not registered */
  readonly link?: AbsolutePath
  /** The priority of a registered path in automatic mode. @default 50 */
  readonly priority?: number
}

/**
 * The program behind a name of update-alternatives.
 *
 * @param path one of the alternatives, or `auto` for the one with the highest priority
 * @throws TypeError for an invalid name or path
 * @throws Problem (on the host) for a path that is not an alternative
 * @example alternatives('editor', '/usr/bin/vim.basic')
 */
export function alternatives(
  name: string,
  path: AbsolutePath | 'auto',
  { link, priority = 50, ...options }: AlternativesOptions = {},
): Step {
  checkName('alternatives: the name', name)
  if (path !== 'auto') checkPath(`alternatives ${name}`, path)
  if (link !== undefined) checkPath(`alternatives ${name}: link`, link)
  if (path === 'auto' && link !== undefined) throw new TypeError(`alternatives ${name}: a link needs a path`)
  if (!Number.isInteger(priority)) throw new TypeError(`alternatives ${name}: the priority is not a whole number`)
  return alternativesStep({ name, path, link, priority }, options)
}

interface AlternativesParams {
  readonly name: string
  readonly path: AbsolutePath | 'auto'
  readonly link: AbsolutePath | undefined
  readonly priority: number
}

interface LinkGroup {
  readonly isAutomatic: boolean
  /** The current path; undefined for a broken group. */
  readonly path: string | undefined
  readonly paths: readonly string[]
}

/** A group of alternatives; undefined if there is none of the name. One process for each. */
const groupOf = batchRead<string, LinkGroup | undefined>({
  name: 'alternatives',
  dependsOn: (name) => [`/etc/alternatives/${name}`],
  shared: true,
  script: (names) => joinLines(names.map((name) => sh`echo 'Next:'; update-alternatives --query ${name} 2>/dev/null`)),
  parse: ({ stdout }, names) => {
    const answers = stdout.split('Next:\n').slice(1)
    return names.map((_name, i) => {
      const text = answers[i] ?? ''
      if (!text.startsWith('Name:')) return undefined
      return {
        isAutomatic: /^Status: auto$/m.test(text),
        path: /^Value: (\/.*)$/m.exec(text)?.[1],
        paths: [...text.matchAll(/^Alternative: (.*)$/gm)].map(([, path]) => path ?? ''),
      }
    })
  },
  fakeValue: ({ alternatives }, name) => alternatives.get(name),
})

const alternativesStep = resource<AlternativesParams, LinkGroup | undefined>('alternatives', {
  id: ({ name }) => name,
  platforms: ['debian'],
  affects: 'itself',
  read: ({ name }) => groupOf(name),
  diff: ({ name, path, link }, have): Diff | undefined => {
    const isChosen = path === 'auto' ? have?.isAutomatic === true : have?.path === path && !have.isAutomatic
    if (isChosen) return undefined
    const from = have && (have.isAutomatic ? `${have.path ?? 'none'} (auto)` : have.path)
    const found: Diff = {
      action: have ? 'change' : 'create',
      fields: [{ name: 'path', ...(from !== undefined && { from }), to: path }],
    }
    if (path === 'auto' ? have : link !== undefined || have?.paths.includes(path)) return found
    const problem = new Problem(`${path} is not an alternative of ${name}`, {
      details: have
        ? [`alternatives: ${have.paths.join(', ')}`]
        : [`The host has no alternatives of the name ${name}.`],
      next: 'Add its package before it, or register the path with { link }.',
    })
    return { ...found, problem }
  },
  apply: ({ name, path, link, priority }, have) => {
    if (path === 'auto') return [sh`update-alternatives --quiet --auto ${name}`]
    const set = sh`update-alternatives --quiet --set ${name} ${path}`
    if (link === undefined || have?.paths.includes(path)) return [set]
    return [sh`update-alternatives --quiet --install ${link} ${name} ${path} ${priority} && ${set}`]
  },
  simulate: ({ name, path }, { alternatives: all }) => {
    const before = all.get(name)
    const now = path === 'auto' ? before?.paths[0] : path
    all.set(name, { isAutomatic: path === 'auto', path: now, paths: [...(before?.paths ?? []), ...(now ? [now] : [])] })
  },
})
