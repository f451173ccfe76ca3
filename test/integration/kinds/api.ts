import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as exported from '../../../src/index.ts'
import { exportsOf, ROOT } from '../../docs/exports.ts'
import type { Dice } from '../../support/dice.ts'

/** The exports of src/index.ts that the generators have called. */
export const called = new Set<string>()

/** The public API. The generators create all steps through it. */
export const api: typeof exported = new Proxy(
  { ...exported },
  {
    get: (all, name, receiver) => {
      called.add(String(name))
      return Reflect.get(all, name, receiver)
    },
  },
)

/** One part of a site, with the initial state of the host. */
export interface Part {
  /** Shell commands that the steps cannot do without, also on a bare host. @default none */
  readonly needs?: string
  /** Shell commands that an administrator might run before the plan. They change nothing that another part declares. */
  readonly found: string
  readonly steps: readonly exported.Steps[]
}

export type Generator = (dice: Dice, site: Site) => Part

/** Shared by all parts of a site. */
export interface Site {
  /** The options of a step: in some cases a handler to notify. */
  readonly options: () => { readonly notify?: exported.Handler }
}

/** All exports of src/index.ts that create steps: functions that return a step or steps, and kinds made by resource(). */
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

const STEPS = /^(?:readonly )?(?:\w*Steps?|After)(?:\[\])?$/
