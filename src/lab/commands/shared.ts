import { Command, InvalidArgumentError } from 'commander'
import type { Lab } from '../index.ts'
import { DEFAULT_NAME } from '../network/addresses.ts'

export interface LabOptions {
  readonly name: string
}

/** A command for one lab. */
export function labSubcommand(verb: string, about: string): Command {
  return new Command(verb).description(about).option('--name <lab>', 'name of the lab', DEFAULT_NAME)
}

export async function open(name: string): Promise<Lab> {
  const { openLab } = await import('../index.ts')
  return openLab(name)
}

/** Parses a percentage of a core. */
export function percentOfCore(text: string): number {
  const percent = Number(text.replace(/ ?%$/, ''))
  if (/^\d/.test(text) && percent >= 1) return percent
  throw new InvalidArgumentError('Write a percentage of a core, at least 1: 5')
}
