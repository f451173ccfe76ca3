import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from '../architecture/files.ts'
import { called, stepMakers } from '../integration/kinds/api.ts'
import { bareSite, type RandomSite, randomSite } from '../integration/kinds/site.ts'

/** Steps that no random site has, with the test that compares their plan with their run. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  kernelModule: 'test/integration/system-kinds.test.ts',
  swap: 'test/testing/faithful.test.ts',
  reboot: 'test/integration/reboot.test.ts',
  download: 'test/integration/downloads.test.ts',
  git: 'test/resources/git.test.ts',
  venv: 'test/integration/python.test.ts',
}

/** The number of random sites that together contain all generators. */
const MANY = 100

describe('each step of src/index.ts', () => {
  const makers = stepMakers()

  it('is in the property test of all kinds, which applies it to a real host', () => {
    for (let round = 0; round < MANY; round++) callAll(randomSite(1, round))
    expect(makers).to.include.members(['file', 'pkg', 'firewall', 'delegateTo', 'packageUpgrades', 'dropIn'])
    const missing = makers.filter((name) => !called.has(name) && !(name in ELSEWHERE))
    expect(
      missing,
      `src/index.ts exports steps that no random site has. For each, add a generator to GENERATORS in test/integration/kinds/site.ts: ${missing.join(', ')}`,
    ).to.deep.equal([])
  })

  it('that has a test of its own instead is exported, and its test exists', () => {
    for (const [name, path] of Object.entries(ELSEWHERE)) {
      expect(makers).to.include(name)
      expect(existsSync(join(ROOT, path)), path).to.equal(true)
    }
  })

  it('is also in the site of a bare host, with all generators at once', () => {
    const { found, plays } = bareSite(1)
    callAll({ found, plays })
    expect(found).to.not.include('userdel')
  })
})

/** Expands the steps of the site without a host. */
function callAll({ plays }: RandomSite): void {
  const hosts = [{ name: 'web1', group: 'all', address: '198.18.0.21' }]
  for (const play of plays({ hosts })) for (const one of play.hosts) play.steps(one)
}
