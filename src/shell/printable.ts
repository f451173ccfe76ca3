import { stripVTControlCharacters } from 'node:util'

/**
 * Makes the output of a program safe for a terminal: removes colours, and replaces other control characters by their names. Tabs and line
 * ends are kept. Of a line that overwrites itself, as in downloads, the last text is kept.
 */
export function printable(text: string): string {
  return named(
    // Node's own function treats the text from a colour to the next bell as a title.
    stripVTControlCharacters(text.replace(SEQUENCE, ''))
      .split('\n')
      .map((line) => line.split('\r').findLast((part) => part.trim() !== '') ?? '')
      .join('\n'),
  )
}

/** Makes provision's own text safe for a terminal; colours are kept. */
export function printableInColour(text: string): string {
  return text
    .split(COLOUR)
    .map((part, i) => (i % 2 === 1 ? part : named(stripVTControlCharacters(part))))
    .join('')
}

function named(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

const SEQUENCE = new RegExp(`${String.fromCharCode(27)}\\[[0-?]*[ -/]*[@-~]`, 'g')

const COLOUR = new RegExp(`(${String.fromCharCode(27)}\\[[\\d;]*m)`)
