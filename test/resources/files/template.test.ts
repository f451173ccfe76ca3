import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { Problem } from '../../../src/model/problem.ts'
import { plain, showProblem } from '../../../src/report/problem.ts'
import { template } from '../../../src/resources/files/template.ts'
import { Secret } from '../../../src/shell/secret.ts'
import { temporary } from '../../support/rig.ts'

describe('a template', () => {
  const root = temporary()
  const meta = { url: pathToFileURL(`${root}/in a role/index.ts`).href }
  mkdirSync(`${root}/in a role/templates`, { recursive: true })
  after(() => rmSync(root, { recursive: true }))

  let count = 0
  const written = <D extends object>(text: string) => {
    const name = `${count++}.conf.ejs`
    writeFileSync(`${root}/in a role/templates/${name}`, text)
    return { name, render: template<D>(meta, name) }
  }
  const refusal = (render: () => unknown): Problem => {
    try {
      render()
    } catch (error) {
      if (error instanceof Problem) return error
      throw error
    }
    throw new Error('it was rendered')
  }

  it('renders values without escaping', () => {
    const { render } = written<{ domain: string; ports: readonly number[]; tls: boolean }>(
      `<%# ({ domain, ports, tls }: Conf) -%>
server_name <%= domain %>;
<% for (const port of ports) { -%>
listen <%= port %><%= tls ? ' ssl' : '' %>;
<% } -%>
`,
    )
    expect(render({ domain: `<a & "b" 'c'>`, ports: [80, 81], tls: true })).to.equal(
      `server_name <a & "b" 'c'>;\nlisten 80 ssl;\nlisten 81 ssl;\n`,
    )
  })

  it('prints 0 and false as they are', () => {
    const { render } = written<{ n: number; on: boolean }>('<%# ({ n, on }: A) -%>\n<%= n %> <%= on %> <%= "" %>')
    expect(render({ n: 0, on: false })).to.equal('0 false ')
  })

  it('rejects an undefined value, with the variable, file and line', () => {
    const { name, render } = written<{ a: string; b?: string }>(
      '<%# ({ a, b }: A) -%>\nfirst <%= a %>\nsecond <%= a %> <%= b -%>\n',
    )
    expect(
      showProblem(
        refusal(() => render({ a: 'x' })),
        plain,
      ),
    ).to.equal(`error: ${name}: b is undefined
   at ${root}/in a role/templates/${name}:3:21
     3 | second <%= a %> <%= b -%>
       |                     ^`)
  })

  it('rejects an undeclared name and a property of an undefined value', () => {
    const { name, render } = written<{ a?: { b: string } }>(
      '<%# ({ a }: A) -%>\n<% if (a) { -%><%= misspelt %><% } -%>\n<%= a.b %>',
    )
    const where = `${root}/in a role/templates/${name}`
    const misspelt = refusal(() => render({ a: { b: 'x' } }))
    expect([misspelt.message, misspelt.where]).to.deep.equal([`${name}: misspelt is not defined`, `${where}:2:20`])
    const absent = refusal(() => render({}))
    expect([absent.message, absent.where]).to.deep.equal([
      `${name}: Cannot read properties of undefined (reading 'b')`,
      `${where}:3:7`,
    ])
  })

  it('rejects values that are not text', () => {
    const { render } = written<{ a: unknown }>('<%# ({ a }: A) -%>\n<%= a; %>')
    const words = (a: unknown) => refusal(() => render({ a })).message.replace(/^\S+ /, '')
    expect(words({})).to.equal('a is an object, not a text')
    expect(words([1])).to.equal('a is a list, not a text')
    expect(words(() => 1)).to.equal('a is a function, not a text')
    expect(words(null)).to.equal('a is null')
  })

  it('rejects a missing template and one with invalid JavaScript', () => {
    const missing = refusal(() => template<{ a: string }>(meta, 'missing.ejs')({ a: '' }))
    expect(showProblem(missing, plain)).to.equal(`error: There is no template missing.ejs
   at ${root}/in a role/templates/missing.ejs
   Templates are in the folder templates/ next to the file that uses them.`)
    const { name, render } = written('<%# ({ a }: A) -%>\n<% if ( %>')
    const broken = refusal(() => render({}))
    expect(broken.message).to.match(RegExp(`^${name}: `))
    expect(broken.next).to.equal('Run provision validate: it shows the line.')
  })

  it('rejects a template without declared data and one with <%-', () => {
    const words = (text: string) => {
      const { name, render } = written(text)
      return showProblem(
        refusal(() => render({})),
        plain,
      ).replaceAll(name, 'NAME')
    }
    const path = `${root}/in a role/templates/NAME`
    expect(words('server {}')).to.equal(`error: NAME: the first line must declare the data
   at ${path}:1:1
     1 | server {}
       | ^
   Write, for example: <%# ({ domain, port }: SiteConf) -%>`)
    expect(words('<%# ({ a }: A) -%>\na <%- a %>')).to.equal(`error: NAME: <%- prints nothing for an undefined value
   at ${path}:2:3
     2 | a <%- a %>
       |   ^
   Write <%= instead; it does not escape here.`)
  })

  it('returns a secret for data with a secret at any depth, and reads it only when it is needed', () => {
    let asked = 0
    const password = new Secret(() => {
      asked++
      return 'hunter2'
    })
    const { render } = written<{ users: readonly { name: string; password: Secret }[] }>(
      '<%# ({ users }: A) -%>\n<% for (const { name, password } of users) { -%>\n<%= name %>=<%= password %>\n<% } -%>\n',
    )
    const made = render({ users: [{ name: 'app', password }] })
    expect(made).to.be.instanceOf(Secret)
    expect(asked).to.equal(0)
    expect(made.reveal()).to.equal('app=hunter2\n')
  })
})
