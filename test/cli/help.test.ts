import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'chai'
import type { Command } from 'commander'
import { epilogueOf, manual } from '../../scripts/manual.ts'
import { EXIT, EXIT_CODES } from '../../src/cli/exit.ts'
import { programOf } from '../../src/cli/main.ts'
import { Project } from './project.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = `${ROOT}/man/provision.1`

describe('help', () => {
  const program = programOf({ root: `${ROOT}/`, compiled: ROOT })
  const all = everyCommand(program)

  it('has a description and examples for each command, and the examples use existing options', () => {
    for (const command of all) {
      expect(command.description(), command.name()).to.not.equal('')
      const text = epilogueOf(command)
      if (command.commands.length > 0 && text === '') continue
      expect(text, command.name()).to.match(/^Examples:\n {2}\S/m)
      for (const [line, word = ''] of text.matchAll(/^ {2}provision ([a-z-]+).*$/gm)) {
        const owner = program.commands.find((one) => one.name() === word)
        // A playbook has options of its own.
        if (!owner || owner.registeredArguments.some((one) => one.name() === 'playbook')) continue
        const known = everyCommand(owner).flatMap((one) => one.options.flatMap(({ long }) => long ?? []))
        expect(known, line).to.include.members(line.match(/ --[a-z-]+/g)?.map((flag) => flag.trim()) ?? [])
      }
    }
  })

  it('is the same in the manual page', () => {
    const made = manual(program)
    expect(readFileSync(PAGE, 'utf8'), 'run: node --import tsx -C source scripts/manual.ts').to.equal(made)
    for (const command of all) expect(made).to.include(`provision`).and.include(command.name().replaceAll('-', '\\-'))
    expect(made).to.match(/^[\x20-\x7e\n]*$/)
  })

  it('of the program lists the options of a run, the playbooks and the exit status', async () => {
    const project = new Project({
      'playbooks/site.ts': `export default playbook(site, () => [], {\n  description:\n    'Installs the site. And more.',\n})`,
      'playbooks/plain.ts': 'export default playbook(site, () => [])',
      'playbooks/verify.ts': `export default verification(site, () => [], { description: 'Checks.' })`,
      'playbooks/own.ts': '/** Checks our hosts. Changes nothing. */\nexport default verify()',
      'playbooks/deploy.ts': '/**\n * Deploys the\n * build. Slowly.\n */\nexport default deploy()',
      'playbooks/part.ts': 'export const part = 1',
    })
    const { code, out } = await project.provision('--help')
    project.remove()
    expect(code).to.equal(0)
    expect(out)
      .to.match(/^Hosts:\n {2}-i, --inventory <file>/m)
      .and.match(/^ {2}-c, --check +dry run/m)
      .and.include('--help):\n  deploy  Deploys the build.\n  plain\n  site    Installs the site.\n\nExamples:')
      .and.match(/^Exit status:\n {2}0 +success$/m)
    for (const [number] of EXIT_CODES) expect(out).to.match(new RegExp(`^ {2}${number} `, 'm'))
  })

  it('has a table of all exit statuses', () => {
    expect(EXIT_CODES.map(([number]) => number)).to.deep.equal(Object.values(EXIT))
  })

  for (const [name, words] of [
    ['groff', ['-man', '-Tutf8', '-ww', '-z', PAGE]],
    ['mandoc', ['-T', 'lint', '-W', 'warning', PAGE]],
  ] as const)
    it(`is a manual page without warnings of ${name}`, function () {
      const { error, stdout, stderr } = spawnSync(name, words, { encoding: 'utf8' })
      if (error) return this.skip()
      const warnings = `${stdout}${stderr}`.split('\n').filter((line) => line !== '')
      // The page has no date: it changes only with the commands.
      expect(warnings.filter((line) => !line.includes('missing date'))).to.deep.equal([])
    })
})

function everyCommand(command: Command): readonly Command[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
  return [command, ...below.flatMap(everyCommand)]
}
