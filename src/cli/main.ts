import { Command, CommanderError } from 'commander'
import { Problem } from '../model/problem.ts'
import { paintFor, showError } from '../report/problem.ts'
import { checkCommand } from './check.ts'
import { EXIT } from './exit.ts'
import { labCommand } from './lab.ts'
import type { Own } from './load.ts'
import { applyCommand, planCommand } from './plan.ts'
import { resumeCommand } from './resume.ts'
import { runCommand } from './run.ts'
import { verifyCommand } from './verify.ts'

/** The command line. Ends the process with one of {@link EXIT}'s codes. */
export async function main(argv: readonly string[], own: Own): Promise<void> {
  const program = new Command('provision')
    .description('Brings a fleet of Debian hosts to a declared state over SSH.')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(provision --help shows what there is)')
    .addCommand(runCommand(own), { isDefault: true })
    .addCommand(planCommand(own))
    .addCommand(applyCommand(own))
    .addCommand(resumeCommand(own))
    .addCommand(checkCommand(own))
    .addCommand(verifyCommand(own))
    .addCommand(labCommand())
  for (const command of withDescendants(program)) command.exitOverride()
  // Nobody reads on, as behind `| head`: what is to be done is done all the same.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  process.once('uncaughtException', (error) => {
    // Node would print it as it is, secrets and all.
    process.stderr.write(`${showError(error, paintFor(process.stderr))}\n`)
    process.exit(EXIT.internal)
  })
  try {
    await program.parseAsync([...explicit(argv, program)], { from: 'user' })
  } catch (error) {
    process.exitCode = exitOf(error)
    if (error instanceof CommanderError) return
    const verbose = argv.some((word) => /^-v{3,}$/.test(word))
    process.stderr.write(`${showError(error, paintFor(process.stderr), { stack: verbose })}\n`)
  }
}

/** `provision deploy --help` is about the playbook: commander would tell of the whole program, where no command is named. */
function explicit(argv: readonly string[], program: Command): readonly string[] {
  const [first = '-'] = argv
  const named =
    first.startsWith('-') || first === 'help' || program.commands.some((one) => one.name() === first)
  return !named && argv.some((word) => word === '--help' || word === '-h') ? ['run', ...argv] : argv
}

function exitOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  return error instanceof Problem ? EXIT.usage : EXIT.internal
}

function withDescendants(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withDescendants)]
}

const EXAMPLES = `
Examples:
  provision --inventory inventory/prod.ts            bring all hosts to the state of playbooks/site.ts
  provision --inventory inventory/prod.ts --check    only say what would change
  provision --inventory inventory/lab.ts --limit web,!web2 --diff
  provision resume                                   go on where the last run did not reach its end
  provision check --inventory inventory/prod.ts      what is wrong, without touching a host
  provision verify --inventory inventory/prod.ts     whether all of it works, seen from outside
  provision lab up                                   eight real hosts on this machine to try it on

Exit status: 0 as wanted · 1 failed · 2 would change (--check) · 3 unreachable · 64 bad input, nothing done · 130 interrupted`
