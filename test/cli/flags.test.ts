import { expect } from 'chai'
import { playbookHelp, splitPlaybookArgs, withFlags } from '../../src/cli/playbook-flags.ts'
import { flag, integer, optional, text } from '../../src/model/inventory/fields.ts'
import { hosts, inventorySchema } from '../../src/model/inventory/schema.ts'
import { playbook } from '../../src/model/playbook/playbook.ts'
import { Problem } from '../../src/model/problem.ts'

describe('the words behind a playbook', () => {
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
      flags: { release: text, batchSize: optional(integer({ min: 1 })), dryRun: flag },
    },
  )
  const values = { web: { name: 'web', hosts: [], without: () => [], only: () => expect.fail() } }
  const given = (...words: string[]) => {
    withFlags(deploy, words, ['--check', '--limit']).plays(values)
    return seen
  }
  const refusal = (...words: string[]): string => {
    try {
      given(...words)
    } catch (error) {
      if (error instanceof Problem) return `${error.message} ${error.next ?? ''}`
      throw error
    }
    return 'not refused'
  }

  it('are its flags, with a blank or an equals sign', () => {
    expect(given('--release', '42', '--batch-size=2')).to.deep.equal({
      release: '42',
      batchSize: 2,
      dryRun: false,
    })
    expect(given('--release=a=b', '--dry-run')).to.deep.equal({ release: 'a=b', dryRun: true })
    expect(given('--release', '-1', '--no-dry-run')).to.deep.equal({ release: '-1', dryRun: false })
  })

  it('that are no flags are refused, with the nearest of its and of our own', () => {
    expect(refusal('--relase', '42')).to.match(/no flag --relase.*"--release"/)
    expect(refusal('--chekc')).to.match(/no flag --chekc.*"--check"/)
    expect(refusal('--nothing-like-it')).to.include('takes --release, --batch-size, --dry-run')
    expect(refusal('web1')).to.include('The playbook goes first')
  })

  it('without a value, or with a wrong one, are refused', () => {
    expect(refusal('--release')).to.include('--release: is missing its value')
    expect(refusal('--release', '--dry-run')).to.include('--release: is missing its value')
    expect(refusal()).to.include('--release: is missing; it should be a text')
    expect(refusal('--release', '1', '--batch-size', 'two')).to.include(
      'should be a whole number ≥ 1, got "two"',
    )
  })

  it('are told by --help, with what the playbook is for', () => {
    expect(playbookHelp(deploy, 'deploy').split('\n')).to.deep.equal([
      'Deploys a release, host by host.',
      '',
      'Flags of deploy:',
      '  --release <value>     a text',
      '  --batch-size <value>  a whole number ≥ 1, or nothing',
      '  --dry-run             on or off',
    ])
  })

  it('begin with its name, or there is none', () => {
    expect(splitPlaybookArgs(['deploy', '--release', '1'])).to.deep.equal({
      name: 'deploy',
      rest: ['--release', '1'],
    })
    expect(splitPlaybookArgs(['--release', '1'])).to.deep.equal({ rest: ['--release', '1'] })
  })
})
