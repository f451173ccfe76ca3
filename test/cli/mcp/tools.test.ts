import { expect } from 'chai'
import { TOOLS, ToolInput, type ToolResult } from '../../../src/cli/mcp/tools.ts'
import { Problem } from '../../../src/model/problem.ts'

/** Calls a tool; returns its command lines and its result. */
async function call(name: string, given: unknown, answer = { code: 0, out: 'out', err: '' }) {
  const lines: (readonly string[])[] = []
  const tool = TOOLS[name]
  if (!tool) throw new Error(`there is no tool ${name}`)
  const run = async (args: readonly string[]) => {
    lines.push(args)
    return answer
  }
  const context = { run, inventoryArgs: ['--inventory=a.ts'], ownOptions: new Set(['--out', '--limit', '--transport']) }
  const result: ToolResult = await tool.call(new ToolInput(given, tool), context)
  return { lines, result }
}

const messageOf = async (name: string, given: unknown) => {
  const error = await call(name, given).catch((reason: unknown) => reason)
  expect(error, JSON.stringify(given)).to.be.instanceOf(Problem)
  return (error as Problem).message
}

describe('the tools for agents', () => {
  it('pass each value behind an equals sign, so that none of them is an option', async () => {
    const given = { hosts: '--accept-new-host-keys', since: '-u', unit: "a'; reboot", lines: 7 }
    const { lines, result } = await call('logs', given)
    expect(lines).to.deep.equal([
      [
        ...['logs', '--output=json', '--inventory=a.ts', '--lines=7', '--since=-u', "--unit=a'; reboot"],
        '--limit=--accept-new-host-keys',
      ],
    ])
    expect(result).to.deep.equal({ text: 'out', isError: false })
    expect((await call('hosts', { limit: 'web' })).lines[0]).to.include('--limit=web')
    expect((await call('report', {})).lines).to.deep.equal([['report', '--list']])
  })

  it('reject input that they do not have, and input of another type', async () => {
    expect(await messageOf('hosts', { command: 'reboot' })).to.equal('The tool has no input "command"')
    expect(await messageOf('apply', {})).to.equal('The input "plan" is missing')
    for (const limit of [7, '', 'a\nb', ['a']])
      expect(await messageOf('hosts', { limit })).to.equal('The input "limit" must be a text in one line')
    for (const lines of ['7', 0, 1_001, 1.5])
      expect(await messageOf('logs', { lines })).to.equal('The input "lines" must be a whole number from 1 to 1000')
    for (const options of ['--out=x', [1], { a: {} }])
      expect(await messageOf('plan', { options })).to.equal(
        'The input "options" must be an object of texts, numbers and booleans',
      )
    expect(await messageOf('why', { thing: '--out=x' })).to.equal('"--out=x" is not a thing on a host')
    expect(await messageOf('report', { run: '../../etc/passwd' })).to.equal('"../../etc/passwd" is not the ID of a run')
  })

  it('reject options of `plan` itself among those of a playbook, and paths of playbooks', async () => {
    for (const name of ['out', 'limit', 'transport', 'a b', '', '=', 'x=y'])
      expect(await messageOf('plan', { options: { [name]: 'x' } })).to.include(
        'is not an option of a playbook that this tool accepts',
      )
    for (const playbook of ['./evil.ts', '/tmp/evil.ts', '--out=x', 'a b'])
      expect(await messageOf('plan', { playbook })).to.equal(`"${playbook}" is not the name of a playbook`)
  })

  it('reject plans outside of the project', async () => {
    for (const plan of ['/etc/passwd', '../plan.json', 'a/../../plan.json', 'nowhere.json', 'package.yaml'])
      expect(await messageOf('apply', { plan })).to.equal(`"${plan}" is not a plan of this project`)
  })

  it('return the end of a long result, and errors with the messages of the command', async () => {
    const long = Array.from({ length: 20_000 }, (_, i) => `line ${i}`).join('\n')
    const { result } = await call('hosts', {}, { code: 0, out: long, err: '' })
    expect(result.text.length).to.be.at.most(60_100)
    expect(result.text).to.match(/^\(The beginning is left out\.\)\nline \d+\n[\s\S]*line 19999$/)
    const failed = await call('hosts', {}, { code: 64, out: '', err: 'error: wrong\n' })
    expect(failed.result).to.deep.equal({ text: 'error: wrong', isError: true })
    expect((await call('hosts', {}, { code: 0, out: '', err: '' })).result.text).to.equal('There are none.')
  })
})
