import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as exported from '../../../src/index.ts'
import { exportsOf, ROOT } from '../../docs/exports.ts'
import type { Dice } from '../../support/dice.ts'

/** The names of src/index.ts that the generators have called. */
export const called = new Set<string>()

/** What users import. The generators take all steps from here. */
export const api: typeof exported = new Proxy(
  { ...exported },
  {
    get: (all, name, receiver) => {
      called.add(String(name))
      return Reflect.get(all, name, receiver)
    },
  },
)

/** One concern of a site, with the state in which the site finds it on the host. */
export interface Part {
  /** Shell commands, as of an administrator, before the plan. They change nothing that another part wants. */
  readonly found: string
  readonly steps: readonly exported.Steps[]
}

export type Generator = (dice: Dice, site: Site) => Part

/** What all parts of a site share. */
export interface Site {
  /** The options of a step: sometimes a handler that is notified. */
  readonly options: () => { readonly notify?: exported.Handler }
}

/** All that src/index.ts exports and that makes steps: functions whose result is a step or steps, and kinds made by resource(). */
export function stepMakers(): readonly string[] {
  return exportsOf('src/index.ts')
    .filter(({ isValue }) => isValue)
    .filter(({ name, file }) => {
      const text = readFileSync(join(ROOT, file), 'utf8')
      if (new RegExp(`^export const ${name}\\b[^\\n]* = resource\\b`, 'm').test(text)) return true
      const declaration = new RegExp(`^export function ${name}\\b[\\s\\S]*?\\): ([^\\n]+?)(?: \\{)?$`, 'gm')
      return [...text.matchAll(declaration)].some(([, result = '']) => STEPS.test(result))
    })
    .map(({ name }) => name)
}

const STEPS = /^(?:readonly )?(?:Steps?|Once|Tagged|Delegated|After)(?:\[\])?$/
