import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { trackUnfinished } from '../../../src/cli/state/resume.ts'
import { host, summary } from '../../report/terminal/script.ts'

const RUN = { inventory: 'inventory.ts', playbook: 'site', args: [], flags: { askBecomePassword: false } } as const
const UNFINISHED = '.provision/unfinished.json'

describe('the record of an unfinished run', () => {
  const before = process.cwd()
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'provision-test-'))
    process.chdir(directory)
  })
  afterEach(() => {
    process.chdir(before)
    rmSync(directory, { recursive: true })
  })

  const waited = (refused: boolean) => {
    const track = trackUnfinished(RUN, [])
    track({ kind: 'begin', mode: 'apply', hosts: ['web1'], plays: ['web'] })
    track({ kind: 'waiting', play: 'web', host: 'web1', for: 'the lock of another run' })
    const hosts = [host({ host: 'web1', failed: 1 })]
    track({ kind: 'end', summary: summary(hosts, { mode: 'apply', refused }) })
  }

  it('does not remain if policies refuse a run that has waited for a host', () => {
    waited(true)
    expect(existsSync(UNFINISHED)).to.equal(false)
  })

  it('remains if the same run fails', () => {
    waited(false)
    expect(existsSync(UNFINISHED)).to.equal(true)
  })
})
