import { Option } from 'commander'
import { playbooks } from '../load/paths.ts'
import type { OwnFlag } from './flags.ts'
import { type At, ownerOf } from './line.ts'
import type { Names } from './names.ts'

/** A word that may come next, and what it is. */
export interface Candidate {
  readonly word: string
  readonly about: string
}

/** Paths, which a shell knows best. */
export const FILES: readonly Candidate[] = [{ word: ':files', about: '' }]

/** What users' files tell, when it is wanted. */
export interface Ask {
  readonly names: () => Promise<Names>
  readonly flags: () => Promise<readonly OwnFlag[]>
}

export async function argumentsOf(
  { command, position }: At,
  last: string,
  ask: Ask,
): Promise<readonly Candidate[]> {
  const owner = ownerOf(command)
  const { registeredArguments: all } = owner
  const argument = all[position] ?? all.findLast(({ variadic }) => variadic)
  if (!argument) return []
  if (argument.argChoices) return plainly(argument.argChoices)
  if (/^(playbook|verification)$/.test(argument.name())) return playbooks().map(asCandidate('playbook'))
  // The hosts of a lab are others than those of an inventory.
  if (/^hosts?$/.test(argument.name()) && owner.parent?.name() !== 'lab')
    return listed(last, hostsAnd(await ask.names()))
  return /^(plan|file|directory)$/.test(argument.name()) ? FILES : []
}

/** None behind a word that takes no value. */
export async function valuesAfter(
  after: Option | string | undefined,
  typed: string,
  ask: Ask,
): Promise<readonly Candidate[] | undefined> {
  if (after instanceof Option) return valuesOf(after, typed, ask)
  const flag = after === undefined ? undefined : (await ask.flags()).find(({ word }) => word === after)
  if (!flag?.valued) return undefined
  if (flag.names.length === 0) return plainly(flag.choices)
  const all = hostsAnd(await ask.names())
  return listed(
    typed,
    all.filter(({ about }) => flag.names.some((noun) => noun === about)),
  )
}

async function valuesOf(option: Option, typed: string, { names }: Ask): Promise<readonly Candidate[]> {
  if (option.argChoices) return plainly(option.argChoices)
  switch (option.attributeName()) {
    case 'limit':
      return listed(typed, hostsAnd(await names()))
    case 'tags':
    case 'skipTags':
      return listed(typed, (await names()).tags.map(asCandidate('tag')))
    default:
      return /<(file|path|directory)>/.test(option.flags) ? FILES : []
  }
}

function hostsAnd({ hosts, groups }: Names): readonly Candidate[] {
  return [...groups.map(asCandidate('group')), ...hosts.map(asCandidate('host'))]
}

/** Words apart by commas: the last one is completed, and may be one that is taken out. */
function listed(typed: string, all: readonly Candidate[]): readonly Candidate[] {
  const before = /^(?:.*,)?!?/s.exec(typed)?.[0] ?? ''
  return all
    .map(({ word, about }) => ({ word: `${before}${word}`, about }))
    .filter(({ word }) => word.startsWith(typed))
}

function plainly(words: readonly string[]): readonly Candidate[] {
  return words.map(asCandidate(''))
}

function asCandidate(about: string) {
  return (word: string): Candidate => ({ word, about })
}
