import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { bare, examplesIn, exportsOf, MODULES, ROOT } from './exports.ts'
import { wrongIn } from './snippets.ts'

describe('the doc comments of the public API', () => {
  for (const [module, index] of Object.entries(MODULES)) {
    const all = exportsOf(index)

    it(`describe each name of ${module}`, () => {
      expect(all.length).to.be.above(3)
      expect(all.filter(({ doc }) => !doc).map(({ name, file }) => `${file}: ${name}`)).to.deep.equal([])
    })

    it(`show an example for each value of ${module}`, () => {
      const bareOf = all.filter(({ isValue, doc }) => isValue && examplesIn(doc ?? '').length === 0)
      expect(bareOf.map(({ name, file }) => `${file}: ${name}`)).to.deep.equal([])
    })
  }

  it('have examples that compile', async () => {
    const files = new Set(Object.values(MODULES).flatMap((index) => exportsOf(index).map(({ file }) => file)))
    const snippets = [...files].flatMap((where) =>
      [...readFileSync(join(ROOT, where), 'utf8').matchAll(/\/\*\*(?:(?!\*\/)[\s\S])*\*\//g)].flatMap(([comment]) =>
        examplesIn(bare(comment)).map((code) => ({ where, code })),
      ),
    )
    expect(snippets.length).to.be.greaterThan(80)
    expect(await wrongIn(snippets)).to.deep.equal([])
  })

  it('reject an example that does not compile', async () => {
    const wrong = await wrongIn([
      { where: 'a relative path', code: "file('etc/motd', 'text')" },
      { where: 'a good one', code: "file('/etc/motd', 'text')" },
      { where: 'no such name', code: 'nosuch()' },
    ])
    expect(wrong.map((one) => one.split(':')[0])).to.deep.equal(['a relative path', 'no such name'])
  })
})
