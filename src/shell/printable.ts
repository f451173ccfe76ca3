import { stripVTControlCharacters } from 'node:util'

/**
 * What a program wrote, as text that moves no cursor, changes no colour and rings no bell: colours are left out, other control
 * characters are named. Of a line that has overwritten itself, as downloads do, the last words stay. So do tabs and line ends.
 */
export function printable(text: string): string {
  return named(
    // Node's own takes the text from a colour to the next bell for a title.
    stripVTControlCharacters(text.replace(SEQUENCE, ''))
      .split('\n')
      .map((line) => line.split('\r').findLast((part) => part.trim() !== '') ?? '')
      .join('\n'),
  )
}

/** Our own text, in which nothing but colours may act upon a terminal. */
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
