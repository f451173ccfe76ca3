import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT, typescript } from './files.ts'

/** A path in the text of a playbook or an inventory that a test writes. No compiler resolves it. */
const NAMED = /\$\{ROOT\}\/([\w./-]+\.ts)\b/g

describe('files that tests name in the text of playbooks', () => {
  it('exist', () => {
    const named = typescript('test').flatMap((test) =>
      [...readFileSync(join(ROOT, test), 'utf8').matchAll(NAMED)].map(([, path = '']) => ({ test, path })),
    )
    expect(named.length).to.be.above(0)
    expect(
      named.filter(({ path }) => !existsSync(join(ROOT, path))).map(({ test, path }) => `${test}: ${path}`),
    ).to.deep.equal([])
  })
})
