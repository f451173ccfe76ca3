import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT, typescript } from './files.ts'

/** Messages that no test can provoke, and the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {}

const DOCUMENTATION = /^\s*\*.*$/gm
const THROWN = /(?:new (?:Problem|InvalidParams|Unknown)|endHost)\(\s*(?:[\w.]+ \? )?([`'])((?:\\.|(?!\1).)*)\1/gs

describe('the message of each Problem', () => {
  it('is expected by a test', () => {
    const tests = typescript('test').map(read).join('\n')
    const untested = ['src', 'roles', 'stack', 'playbooks', 'inventory'].flatMap((folder) =>
      typescript(folder).flatMap((path) =>
        [...read(path).replace(DOCUMENTATION, '').matchAll(THROWN)]
          .map(([, , message = '']) => literal(message))
          .filter((part) => part.length > 5 && !tests.includes(part) && !(part in EXCEPTIONS))
          .map((part) => `${path}: ${part}`),
      ),
    )
    expect(untested, 'add a test that expects each of these messages').to.deep.equal([])
  })
})

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The longest constant part of a message. */
function literal(message: string): string {
  return message
    .split(/\$\{(?:[^{}]|\{[^}]*\})*\}/)
    .map((part) => part.replaceAll("\\'", "'").trim())
    .reduce((longest, part) => (part.length > longest.length ? part : longest), '')
}
