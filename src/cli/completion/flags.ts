import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Field } from '../../model/inventory/fields.ts'
import { flagName, isSwitch } from '../../model/playbook/flags.ts'
import { compile, type Installation, importPlaybook } from '../load/load.ts'
import { playbookPath } from '../load/paths.ts'
import { describeField } from '../playbook-flags.ts'
import { kept } from './cache.ts'

/** A flag that a playbook declares, for a person who types it. */
export interface OwnFlag {
  /** `--dry-run` */
  readonly word: string
  readonly about: string
  /** Whether a value goes after it. */
  readonly valued: boolean
  /** All values that there are, where they can be told. */
  readonly choices: readonly string[]
  /** Otherwise, whose names are values of it. */
  readonly names: readonly ('host' | 'group')[]
}

/** Of a playbook; none where it cannot be read. They need no inventory, and are kept beside what `--help` compiles. */
export async function flagsOf(playbook: string | undefined, own: Installation): Promise<readonly OwnFlag[]> {
  const path = resolve(playbookPath(playbook ?? 'site'))
  if (!existsSync(path)) return []
  try {
    const { outdir } = await compile({ playbook: path }, own)
    return await kept(outdir, 'flags.json', async () => {
      const { flags } = await importPlaybook(outdir, path)
      return Object.entries(flags).map(ownFlag)
    })
  } catch {
    return [] // A run will say what is wrong with it.
  }
}

function ownFlag([name, field]: readonly [string, Field<unknown>]): OwnFlag {
  const word = flagName(name)
  const choices = choicesOf(field)
  const names = (['group', 'host'] as const).filter((noun) => speaksOf(noun, word, field))
  return {
    word,
    about: describeField(field).replace(/\s+/g, ' '),
    valued: !isSwitch(field),
    choices,
    names: choices.length > 0 ? [] : names,
  }
}

/** A field of choices tells them as JSON: `one of "web", 17`. Those with blanks would be quoted by each shell in another way. */
function choicesOf({ expects, check }: Field<unknown>): readonly string[] {
  try {
    const told: readonly unknown[] = JSON.parse(`[${expects.replace(/^one of /, '')}]`)
    return told
      .filter((value) => check(value) === value)
      .map(String)
      .filter((word) => /^\S+$/.test(word))
  } catch {
    return [] // It has words for what it expects.
  }
}

/** Whether a flag is named so in the end, or its field expects it; a count of hosts takes no text. */
function speaksOf(noun: string, word: string, { expects, check }: Field<unknown>): boolean {
  const said = [word.split('-').at(-1) ?? '', expects]
  return check(noun) !== undefined && said.some((words) => new RegExp(`\\b${noun}s?\\b`).test(words))
}
