import { expect } from 'chai'
import { provisionedLab } from '../integration/provisioned.ts'
import { noHosts } from '../integration/support.ts'
import { Load } from '../proof/load.ts'
import { type Ended, Site } from '../proof/site.ts'
import { failing, GENTLE } from './gentle.ts'

/** The minimum of requests behind a claim of "none failed" for a command that takes some time. */
export const MANY = 100

/** The output of a command, and the results of the clients meanwhile. */
export interface UnderLoad {
  readonly text: string
  readonly asked: number
  /** One line for each failed request. */
  readonly failed: readonly string[]
}

/** The whole site, for one suite. */
export interface SiteUnderLoad {
  readonly site: Site
  /** Runs a command while clients send requests. @param code the expected exit status, by default 0 */
  readonly underLoad: (words: readonly string[], code?: number) => Promise<UnderLoad>
}

/**
 * Creates a healthy site for the calling suite before its first test, and removes it after its last. Without real hosts
 * the suite is skipped.
 */
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

/** @param least the number of requests that must be exceeded */
export function noFailure({ failed, asked }: UnderLoad, least = 0): void {
  expect(failed.join('\n')).to.equal('')
  expect(asked).to.be.greaterThan(least)
}

/** The failed requests on new connections. */
export function onNew({ failed }: UnderLoad): readonly string[] {
  return failed.filter((line) => line.includes(' new '))
}

async function during(site: Site, words: readonly string[], code: number): Promise<UnderLoad> {
  const command = async (): Promise<Ended> => {
    const ended = await site.provision(...words)
    // Check the exit status first: without a database, the later query would hide the error of the command.
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
