import { InvalidArgumentError } from 'commander'

/** A count as an option. */
export function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It should be a whole number ≥ 1.')
}
