import { InvalidArgumentError } from 'commander'

/** A factor as an option: 0.5, 2, 10. */
export function positive(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('It should be a number above 0.')
}
