import { expect } from 'chai'
import { provisionedLab } from '../integration/provisioned.ts'
import { noHosts } from '../integration/support.ts'
import { Load } from '../proof/load.ts'
import { type Ended, Site } from '../proof/site.ts'
import { failing, GENTLE } from './gentle.ts'

/** Requests that a claim of "none failed" is about, where the command takes its time. */
export const MANY = 100

/** What a command said, and what clients saw meanwhile. */
export interface UnderLoad {
  readonly text: string
  readonly asked: number
  /** One line for each request without a good answer. */
  readonly failed: readonly string[]
}

/** The whole site, which a suite has to itself. */
export interface SiteUnderLoad {
  readonly site: Site
  /** Runs a command while clients are at work. @param code with which it must end; 0 unless told otherwise */
  readonly underLoad: (words: readonly string[], code?: number) => Promise<UnderLoad>
}

/** For the suite that it is called in: there and healthy before its first test, gone after its last. Without real hosts the suite is left out. */
export function siteUnderLoad(name: string): SiteUnderLoad {
  let site: Site | undefined
  before(async function () {
    if (noHosts()) return this.skip()
    site = Site.of(await provisionedLab(name))
    await site.must()
    await site.healthy('1800s')
  })
  after(async () => {
    await site?.down({ keep: false })
  })
  const there = (): Site => {
    if (site === undefined) throw new Error('the site is there when the first test begins')
    return site
  }
  return {
    get site() {
      return there()
    },
    underLoad: (words, code = 0) => during(there(), words, code),
  }
}

/** @param least more requests than these were asked */
export function noFailure({ failed, asked }: UnderLoad, least = 0): void {
  expect(failed.join('\n')).to.equal('')
  expect(asked).to.be.greaterThan(least)
}

/** Those on new connections. */
export function onNew({ failed }: UnderLoad): readonly string[] {
  return failed.filter((line) => line.includes(' new '))
}

async function during(site: Site, words: readonly string[], code: number): Promise<UnderLoad> {
  const command = async (): Promise<Ended> => {
    const ended = await site.provision(...words)
    // Before the database is asked what it has: without one, that would be all that is told.
    expect(ended.code, ended.text).to.equal(code)
    return ended
  }
  const { ended, seen } = await Load.during(site.client, command, GENTLE)
  const { asked, gap, lost } = seen
  const failed = failing(seen)
  console.log(
    `    ${ended.seconds.toFixed(1)} s, ${failed.length} of ${asked} requests failed, ${gap} ms without an answer`,
  )
  expect(lost, 'acknowledged writes that the database does not have').to.equal(0)
  return { text: ended.text, asked, failed }
}
