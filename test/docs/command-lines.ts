import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { programOf } from '../../src/cli/main.ts'
import { isRecord } from '../../src/model/inventory/fields.ts'
import { ROOT } from './exports.ts'

const program = programOf({ root: `${ROOT}/`, compiled: '' })

/** Returns the names in a shell line that `provision` does not have; an empty list if the line is another command. */
export async function unknownIn(line: string): Promise<readonly string[]> {
  const [, rest] = /^(?:sudo )?(?:npx )?(?:-p \S+ )?provision((?: .*)?)$/.exec(line) ?? []
  if (rest === undefined || /^ *=/.test(rest)) return []
  const words = wordsOf(rest)
  const command = commandOf(words)
  const [first = '-'] = words
  if (command === program && isName(first) && !existsSync(playbookAt(first))) return [`provision ${first}`]
  const flags = await flagsOf(words)
  const named = command === program ? run : command
  return words
    .filter((word) => /^--[a-z]/.test(word))
    .map((word) => word.replace(/=.*$/, ''))
    .filter((word) => !flags.includes(word) && !isOption(named, word))
    .map((flag) => `${flag} of provision ${named === run ? (isName(first) ? first : 'run') : named.name()}`)
}

const run = program.commands.find((one) => one.name() === 'run') ?? program

/** Removes the brackets and ellipses of a synopsis, quoted texts, and all that follows the command. */
function wordsOf(text: string): readonly string[] {
  const [command = ''] = text.split(/\s#|\||\s{3,}/)
  return command
    .replace(/'[^']*'|"[^"]*"/g, ' x.y ')
    .replace(/[[\]…]/g, ' ')
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
}

function commandOf(words: readonly string[]): Command {
  let at = program
  for (const word of words) {
    const next = at.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (!next) break
    at = next
  }
  return at
}

function isOption({ options }: Command, flag: string): boolean {
  return flag === '--help' || flag === '--version' || options.some(({ long }) => long === flag)
}

/** Returns the flags of the playbooks in these words. */
async function flagsOf(words: readonly string[]): Promise<readonly string[]> {
  const paths = words.filter(isName).map(playbookAt).filter(existsSync)
  const found = await Promise.all(paths.map(async (path): Promise<unknown> => import(path)))
  return found.flatMap((module) => {
    const book = isRecord(module) ? module['default'] : undefined
    const flags = isRecord(book) && isRecord(book['flags']) ? Object.keys(book['flags']) : []
    return flags.map((flag) => `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
  })
}

function isName(word: string): boolean {
  return /^[a-z][a-z-]*$/.test(word)
}

function playbookAt(name: string): string {
  return join(ROOT, `playbooks/${name}.ts`)
}
