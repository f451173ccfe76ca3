import { expect } from 'chai'
import { playbookOptions, splitPlaybookArgs, withFlags } from '../../src/cli/playbook-flags.ts'
import { flag, integer, optional, text, withDescription } from '../../src/model/inventory/fields.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { playbook } from '../../src/model/playbook/playbook.ts'
import { Problem } from '../../src/model/problem.ts'

describe('the arguments of a playbook', () => {
  let seen: unknown
  const site = inventorySchema({ web: hosts() })
  const deploy = playbook(
    site,
    (_values, flags) => {
      seen = flags
      return []
    },
    {
      description: 'Deploys a release, host by host.',
      flags: {
        release: withDescription('the release to deploy', text),
        batchSize: withDescription('hosts at a time', optional(integer({ min: 1 }))),
        dryRun: flag,
        outage: withDescription('continue without service', flag),
        reason: optional(text),
      },
    },
  )
  const values = { web: { name: 'web', hosts: [], without: () => [], only: () => expect.fail() } }
  const given = (...words: string[]) => {
    withFlags(deploy, words, ['--check', '--limit']).plays(values)
    return seen
  }
  const problemOf = (...words: string[]): string => {
    try {
      given(...words)
    } catch (error) {
      if (error instanceof Problem) return `${error.message} ${error.next ?? ''}`
      throw error
    }
    return 'no problem'
  }

  it('are its options, with a space or an equals sign', () => {
    expect(given('--release', '42', '--batch-size=2')).to.deep.equal({
      release: '42',
      batchSize: 2,
      dryRun: false,
      outage: false,
    })
    expect(given('--release=a=b', '--dry-run')).to.include({ release: 'a=b', dryRun: true })
    expect(given('--release', '-1', '--no-dry-run')).to.include({ release: '-1', dryRun: false })
  })

  it('are rejected if unknown, with a suggestion', () => {
    expect(problemOf('--relase', '42')).to.match(/Unknown option --relase.*"--release"/)
    expect(problemOf('--chekc')).to.match(/Unknown option --chekc.*"--check"/)
    expect(problemOf('--nothing-like-it')).to.include('has the options --release, --batch-size, --dry-run')
    expect(problemOf('web1')).to.include('The playbook comes first')
  })

  it('are rejected without a value and with an invalid one', () => {
    expect(problemOf('--release')).to.include('Option --release needs a value: a text')
    expect(problemOf('--release', '--dry-run')).to.include('Option --release needs a value')
    expect(problemOf()).to.include('--release: is missing; it should be a text')
    expect(problemOf('--release', '1', '--batch-size', 'two')).to.include('should be a whole number ≥ 1, got "two"')
  })

  it('have descriptions in the help', () => {
    expect(playbookOptions(deploy).map(({ flags, description }) => [flags, description])).to.deep.equal([
      ['--release <value>', 'the release to deploy (required: a text)'],
      ['--batch-size <value>', 'hosts at a time (a whole number ≥ 1)'],
      ['--dry-run', ''],
      ['--outage', 'continue without service'],
      ['--reason <value>', 'a text'],
    ])
  })

  it('start with its name, which may be omitted', () => {
    expect(splitPlaybookArgs(['deploy', '--release', '1'])).to.deep.equal({
      name: 'deploy',
      rest: ['--release', '1'],
    })
    expect(splitPlaybookArgs(['--release', '1'])).to.deep.equal({ rest: ['--release', '1'] })
  })
})
