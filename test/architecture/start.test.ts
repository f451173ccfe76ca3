import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { bundleSelf } from '../../bin/bundle.js'

const ROOT = join(import.meta.dirname, '../../')

// Each package costs milliseconds of every command: the others are loaded when they are needed.
describe('what every command loads', () => {
  it('is these packages, and no other', async () => {
    const directory = await bundleSelf(ROOT)
    expect([...packagesOf(directory, ['cli.js', 'index.js'])].sort()).to.deep.equal(['commander', 'ejs', 'ipaddr.js'])
  })
})

function packagesOf(directory: string, entries: readonly string[]): ReadonlySet<string> {
  const files = new Set(entries)
  const packages = new Set<string>()
  for (const file of files)
    for (const [, from = ''] of readFileSync(join(directory, file), 'utf8').matchAll(
      /^(?:import|export)\s(?:[^;'"]*?\sfrom\s)?["']([^"']+)["'];$/gm,
    )) {
      if (from.startsWith('./')) files.add(from.slice(2))
      else if (!from.startsWith('node:')) packages.add(from)
    }
  return packages
}
