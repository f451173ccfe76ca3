import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'chai'
import type { Command } from 'commander'
import { examplesOf } from '../../src/cli/examples.ts'
import { programOf } from '../../src/cli/main.ts'
import { manual } from '../../src/cli/manual.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = `${ROOT}/man/provision.1`

describe('the help', () => {
  const program = programOf({ root: `${ROOT}/`, compiled: ROOT })
  const all = everyCommand(program)

  it('has a sentence and examples for each command, and the examples name commands that there are', () => {
    for (const command of all) {
      expect(command.description(), command.name()).to.not.equal('')
      const text = examplesOf(command)
      if (command.commands.length > 0 && text === '') continue
      expect(text, command.name()).to.match(/^Examples:\n {2}\S/m)
      for (const [line, word = ''] of text.matchAll(/^ {2}provision ([a-z-]+).*$/gm)) {
        const owner = program.commands.find((one) => one.name() === word)
        // A playbook has flags of its own.
        if (!owner || owner.registeredArguments.some((one) => one.name() === 'playbook')) continue
        const known = everyCommand(owner).flatMap((one) => one.options.flatMap(({ long }) => long ?? []))
        expect(known, line).to.include.members(line.match(/ --[a-z-]+/g)?.map((flag) => flag.trim()) ?? [])
      }
    }
  })

  it('is a manual page, too, which is as the commands are', () => {
    const made = manual(program)
    expect(
      readFileSync(PAGE, 'utf8'),
      'make it anew: node --import tsx -C source scripts/manual.js',
    ).to.equal(made)
    for (const command of all)
      expect(made).to.include(`provision`).and.include(command.name().replaceAll('-', '\\-'))
    expect(made).to.match(/^[\x20-\x7e\n]*$/)
  })

  for (const [name, words] of [
    ['groff', ['-man', '-Tutf8', '-ww', '-z', PAGE]],
    ['mandoc', ['-T', 'lint', '-W', 'warning', PAGE]],
  ] as const)
    it(`is a page in which ${name} finds nothing to warn of`, function () {
      const { error, stdout, stderr } = spawnSync(name, words, { encoding: 'utf8' })
      if (error) return this.skip()
      const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '')
      // It has none, so that it changes with the commands alone.
      expect(said.filter((line) => !line.includes('missing date'))).to.deep.equal([])
    })
})

function everyCommand(command: Command): readonly Command[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
  return [command, ...below.flatMap(everyCommand)]
}
