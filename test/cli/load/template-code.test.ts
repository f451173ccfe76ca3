import { expect } from 'chai'
import { templateCode } from '../../../src/cli/load/templates.ts'

const HEAD = `<%# ({ a, b }: import('../x.ts').X) -%>\n`

describe('the code of a template', () => {
  const lines = (template: string) => templateCode(template).code.split('\n')

  it('keeps its lines and columns', () => {
    const template = `${HEAD}one <%= a.b %>\n<% for (const c of b) { -%>\n  two <%= c %>, <%= c + 1 -%>\n<% } -%>\n`
    const code = lines(template)
    for (const [i, line] of template.split('\n').entries()) {
      for (const word of ['a.b', 'for (const c of b) {', 'c + 1', "{ a, b }: import('../x.ts').X"])
        if (line.includes(word)) expect(code[i]?.indexOf(word), word).to.equal(line.indexOf(word))
    }
  })

  it('omits comments, escapes and text', () => {
    const [, first, second] = lines(`${HEAD}<%# if ( %>it's <%% "x\n{ } \`\n`)
    expect([first, second].join('').trim()).to.equal('')
  })

  it('ends comments and semicolons with their tag', () => {
    const [, first, second] = lines(`${HEAD}<%= a; %> <%= b // the port %>\n<%= 'http://' + a %>\n`)
    expect(first?.replaceAll(/\s+/g, '')).to.equal(';_(a);;_(b);')
    expect(second).to.include("'http://' + a")
  })

  it('is invalid without a head, and with a tag that prints undefined', () => {
    expect(templateCode('text').error).to.include({ line: 1, column: 1 })
    expect(templateCode(`${HEAD}\n  <%- a %>`).error).to.include({ line: 3, column: 3 })
  })
})
