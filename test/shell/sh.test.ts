import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import { Secret } from '../../src/shell/secret.ts'
import { Shell, sh, type Word } from '../../src/shell/sh.ts'

describe('sh', () => {
  const said = (script: Shell) => execFileSync('sh', { input: script.text }).toString()

  it('quotes each value as one word, and each element of a list', () => {
    expect(sh`install -o ${'www data'} ${['a', 'b c']} ${3}`.text).to.equal("install -o 'www data' a 'b c' 3")
    expect(sh`rm -f ${[]}`.text).to.equal('rm -f ')
  })

  it('inserts another command unchanged', () => {
    expect(sh`if ${sh`test -e ${'a b'}`}; then :; fi`.text).to.equal("if test -e 'a b'; then :; fi")
  })

  it('passes backslashes to the shell', () => {
    expect(said(sh`printf '%s\n' a.b | sed 's/\(a\)\./\1/'`)).to.equal('ab\n')
    expect(sh`printf '\0'`.text).to.equal("printf '\\0'")
  })

  it('accepts an escaped parameter and an escaped backtick', () => {
    expect(said(sh`x=ab; echo \${x#a} \`echo c\``)).to.equal('b c\n')
  })

  it('joins a value with the adjacent text', () => {
    expect(said(sh`echo --file=${"it's"}.${'conf'}`)).to.equal("--file=it's.conf\n")
  })

  it('does not let a number before a redirection become a descriptor', () => {
    expect(said(sh`echo ${2}>&1`)).to.equal('2\n')
  })

  const refused: Readonly<Record<string, () => Shell>> = {
    'in double quotes': () => sh`echo "${'a'}"`,
    'in single quotes': () => sh`echo 'a ${'a'}'`,
    'in the quotes of an earlier piece': () => sh`echo ${'a'} "b ${'c'}"`,
    'in backticks': () => sh`echo \`cat ${'a'}\``,
    'in a comment': () => sh`: # about ${'a\nrm -rf /'}`,
    'as the name of a variable': () => sh`echo $${'HOME'}`,
  }
  for (const [where, make] of Object.entries(refused))
    it(`rejects a value ${where}`, () => {
      expect(make).to.throw(TypeError)
    })

  it('recognizes texts that are not quotes, comments or names', () => {
    const script = sh`echo \"${'a'}\" it\'s${'b'} c#${'d'} "'"${'e'} '#' ${'f'} # don't
      echo \\${'g'} "\""${'h'}`
    expect(said(script)).to.equal(`"a" it'sb c#d 'e # f\n\\g "h\n`)
    expect(() => sh`echo $$${'a'} \$${'b'}`).not.to.throw()
  })

  it('rejects undefined, true, objects and other values without a text', () => {
    const values: readonly unknown[] = [
      undefined,
      null,
      true,
      Number.NaN,
      {},
      { text: 'rm -rf /' },
      new Secret(() => 'x'),
      [undefined],
    ]
    for (const value of values)
      expect(() => sh`echo ${value as Word}`, String(typeof value)).to.throw(TypeError, /sh takes/)
  })

  it('is frozen', () => {
    expect(Object.isFrozen(Shell.raw('a'))).to.equal(true)
  })
})
