import { execFileSync, spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { quote } from '../../src/shell/sh.ts'

/** Includes the internal marks of the parsers: 0x81, 0x82 and 0x88 in dash. */
const HOSTILE = [
  '',
  ' ',
  "'",
  "''",
  "'\\''",
  '"',
  '\\',
  '\\\\',
  '$HOME',
  '$(id)',
  '`id`',
  '*',
  '?',
  '[a-z]',
  '~',
  '~root',
  '#',
  '#a',
  'a#b',
  '!',
  '!!',
  '&',
  ';',
  '|',
  '<',
  '>',
  '(',
  ')',
  '{a,b}',
  '=',
  'a=b',
  '-n',
  '--',
  '\n',
  '\t',
  '\r',
  '\x01',
  '\x7f',
  '%s',
  '2',
  'if',
  'then',
  'done',
  '{',
  '}',
  '[[',
  'é',
  '☃',
  '😀',
  '\u0081',
  '\u0082\u0088',
  'a\nb',
  "it's",
  'a b  c ',
  '\\n',
  '$',
  '"$x"',
]

describe('quote', () => {
  it('leaves plain words unchanged', () => {
    expect(['a', '/etc/nginx.conf', 'user@host:22', '0644', '50%'].map(quote).join(' ')).to.equal(
      'a /etc/nginx.conf user@host:22 0644 50%',
    )
  })

  it('rejects a NUL, which no argument can contain', () => {
    expect(() => quote('a\0b')).to.throw(TypeError, /NUL/)
  })

  it('quotes reserved words of the shell', () => {
    expect(spawnSync('sh', ['-c', `${quote('if')} true`]).status).to.equal(127)
  })

  for (const shell of ['dash', 'busybox sh', 'bash --posix']) {
    const [program = shell, ...args] = shell.split(' ')
    it(`passes hostile words to ${program} unchanged`, function () {
      if (spawnSync(program, ['true']).error) return this.skip()
      const words = [...HOSTILE, ...random(500)]
      const script = `printf '%s\\0' ${words.map(quote).join(' ')}`
      const output = execFileSync(program, args, { input: script }).toString()
      expect(output.split('\0').slice(0, -1)).to.deep.equal(words)
    })
  }
})

/** Returns random words of hostile parts, the same in each run. */
function random(count: number): readonly string[] {
  let seed = 42
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return Math.floor((seed / 2147483648) * below)
  }
  return Array.from({ length: count }, () =>
    Array.from({ length: next(12) }, () => HOSTILE[next(HOSTILE.length)] ?? '').join(''),
  )
}
