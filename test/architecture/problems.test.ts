import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT, typescript } from './files.ts'

/** What cannot be provoked here, and why. */
const LEFT: Readonly<Record<string, string>> = {}

const DOCUMENTATION = /^\s*\*.*$/gm
const THROWN = /new (?:Problem|Refusal|EndHost|Unknown)\(\s*(?:[\w.]+ \? )?([`'])((?:\\.|(?!\1).)*)\1/gs

describe('a message that a user can meet', () => {
  it('stands in a test', () => {
    const tests = typescript('test').map(read).join('\n')
    const untested = ['src', 'roles', 'playbooks', 'inventory'].flatMap((folder) =>
      typescript(folder).flatMap((path) =>
        [...read(path).replace(DOCUMENTATION, '').matchAll(THROWN)]
          .map(([, , message = '']) => literal(message))
          .filter((part) => part.length > 5 && !tests.includes(part) && !(part in LEFT))
          .map((part) => `${path}: ${part}`),
      ),
    )
    expect(untested).to.deep.equal([])
  })
})

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The longest part of a text that is the same each time. */
function literal(message: string): string {
  return message
    .split(/\$\{(?:[^{}]|\{[^}]*\})*\}/)
    .map((part) => part.replaceAll("\\'", "'").trim())
    .reduce((longest, part) => (part.length > longest.length ? part : longest), '')
}
