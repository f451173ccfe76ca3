import { existsSync, readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { labCommand } from '../lab/commands/index.ts'
import { Problem } from '../model/problem.ts'
import { paintFor, showError } from '../report/problem.ts'
import { didYouMean } from '../shell/nearest.ts'
import { doctorCommand } from './commands/doctor.ts'
import { execCommand } from './commands/exec.ts'
import { factsCommand } from './commands/facts.ts'
import { graphCommand } from './commands/graph.ts'
import { hostsCommand } from './commands/hosts.ts'
import { initCommand } from './commands/init.ts'
import { listStepsCommand } from './commands/list-steps.ts'
import { logsCommand } from './commands/logs.ts'
import { newCommand } from './commands/new.ts'
import { applyCommand, planCommand } from './commands/plan.ts'
import { reportCommand } from './commands/report.ts'
import { resumeCommand } from './commands/resume.ts'
import { runCommand } from './commands/run.ts'
import { sshCommand } from './commands/ssh.ts'
import { validateCommand } from './commands/validate.ts'
import { verifyCommand } from './commands/verify.ts'
import { watchCommand } from './commands/watch.ts'
import { completionCommands } from './completion/completion.ts'
import { EXIT } from './exit.ts'
import { formerPlaybook } from './load/former-names.ts'
import type { Installation } from './load/load.ts'
import { playbookPath, playbooks } from './load/paths.ts'
import { commandPath } from './manual.ts'

/** The command line. Ends the process with one of {@link EXIT}'s codes. */
export async function main(argv: readonly string[], own: Installation): Promise<void> {
  const program = programOf(own)
  for (const command of withDescendants(program))
    command.exitOverride().showHelpAfterError(`(${commandPath(command)} --help shows what there is)`)
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
    refuseMistyped(argv, program)
    await program.parseAsync([...explicit(argv, program)], { from: 'user' })
  } catch (error) {
    process.exitCode = exitOf(error)
    if (error instanceof CommanderError) return
    const verbose = argv.some((word) => /^-v{3,}$/.test(word))
    process.stderr.write(`${showError(error, paintFor(process.stderr), { stack: verbose })}\n`)
  }
}

/** All commands, as one tree: its help, its completion and its manual page are made from it. */
export function programOf(own: Installation): Command {
  const [completion, complete] = completionCommands(own)
  return new Command('provision')
    .description('Brings a fleet of Debian hosts to a declared state over SSH.')
    .version(versionOf(own))
    .addHelpText('after', EXAMPLES)
    .addCommand(runCommand(own), { isDefault: true })
    .addCommand(planCommand(own))
    .addCommand(applyCommand(own))
    .addCommand(resumeCommand(own))
    .addCommand(validateCommand(own))
    .addCommand(verifyCommand(own))
    .addCommand(doctorCommand(own))
    .addCommand(watchCommand(own))
    .addCommand(hostsCommand(own))
    .addCommand(factsCommand(own))
    .addCommand(listStepsCommand(own))
    .addCommand(execCommand(own))
    .addCommand(logsCommand(own))
    .addCommand(sshCommand(own))
    .addCommand(reportCommand(own))
    .addCommand(graphCommand(own))
    .addCommand(labCommand())
    .addCommand(initCommand(own))
    .addCommand(newCommand(own))
    .addCommand(completion)
    .addCommand(complete, { hidden: true })
}

/** A first word that is no command is a playbook. @throws Problem where there is none of that name */
function refuseMistyped([word = '-']: readonly string[], program: Command): void {
  const commands = program
    .createHelp()
    .visibleCommands(program)
    .map((one) => one.name())
  if (/^-|[/.]/.test(word) || program.commands.some((one) => one.name() === word)) return
  if (existsSync(playbookPath(word))) return
  const meant = formerPlaybook(word) ?? didYouMean(word, [...commands, ...playbooks()])
  const there = playbooks()
  const others =
    there.length > 0 ? `The playbooks here are ${there.join(', ')}.` : 'There are no playbooks here.'
  throw new Problem(`There is no command and no playbook "${word}"`, {
    next: meant ?? `${others} For the commands: provision --help`,
  })
}

/** `provision deploy --help` is about the playbook: commander would tell of the whole program, where no command is named. */
function explicit(argv: readonly string[], program: Command): readonly string[] {
  const [first = '-'] = argv
  const named =
    first.startsWith('-') || first === 'help' || program.commands.some((one) => one.name() === first)
  return !named && argv.some((word) => word === '--help' || word === '-h') ? ['run', ...argv] : argv
}

function versionOf({ root }: Installation): string {
  const { version }: { version: string } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  return version
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
  provision validate --inventory inventory/prod.ts      what is wrong, without touching a host
  provision verify --inventory inventory/prod.ts     whether all of it works, seen from outside
  provision lab up                                   eight real hosts on this machine to try it on

Exit status: 0 as wanted · 1 failed · 2 would change (--check) · 3 unreachable · 64 bad input, nothing done · 130 interrupted`
