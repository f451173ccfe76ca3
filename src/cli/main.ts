import { existsSync } from 'node:fs'
import { Command, CommanderError, Help } from 'commander'
import { labCommand } from '../lab/commands/index.ts'
import { Problem } from '../model/problem.ts'
import { paintFor, showError } from '../report/problem.ts'
import { approveCommand } from './commands/approve.ts'
import { completionCommands } from './commands/completion.ts'
import { doctorCommand } from './commands/doctor.ts'
import { driftCommand } from './commands/drift.ts'
import { execCommand } from './commands/exec.ts'
import { factsCommand } from './commands/facts.ts'
import { graphCommand } from './commands/graph.ts'
import { hostsCommand } from './commands/hosts.ts'
import { initCommand } from './commands/init.ts'
import { listStepsCommand } from './commands/list-steps.ts'
import { logsCommand } from './commands/logs.ts'
import { mcpCommand } from './commands/mcp.ts'
import { newCommand } from './commands/new.ts'
import { applyCommand, planCommand } from './commands/plan.ts'
import { reportCommand } from './commands/report.ts'
import { resumeCommand } from './commands/resume.ts'
import { runCommand } from './commands/run.ts'
import { sshCommand } from './commands/ssh.ts'
import { validateCommand } from './commands/validate.ts'
import { verifyCommand } from './commands/verify.ts'
import { watchCommand } from './commands/watch.ts'
import { whyCommand } from './commands/why.ts'
import { EXIT } from './exit.ts'
import { type Installation, playbookPath, playbooks, versionOf } from './load/paths.ts'
import { OTHER } from './options.ts'
import { exitStatusTable, programHelp, unknownCommand, usageProblem, withHelpLayout } from './usage.ts'

/** The command line. Sets the exit code to one of {@link EXIT}. */
export async function main(argv: readonly string[], installation: Installation): Promise<void> {
  const program = programOf(installation)
  for (const command of withDescendants(program))
    command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
      throw usageProblem(error, command)
    })
  // A reader such as `head` may close the pipe; the command still completes.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  process.once('uncaughtException', (error) => {
    // Node would print secrets.
    process.stderr.write(`${showError(error, paintFor(process.stderr))}\n`)
    process.exit(EXIT.internal)
  })
  try {
    const args = withDefaultWait(argv)
    assertCommand(args, program)
    await program.parseAsync([...withRun(args, program)], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help or version.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
      return
    }
    process.exitCode = error instanceof Problem ? EXIT.usage : EXIT.internal
    const stack = argv.some((arg) => /^-v{3,}$/.test(arg))
    process.stderr.write(`${showError(error, paintFor(process.stderr), { stack })}\n`)
  }
}

/** The tree of commands. Help, completion and the manual page are made from it. */
export function programOf(installation: Installation): Command {
  const [completion, completer] = completionCommands(installation)
  const run = runCommand(installation)
  const program = new Command('provision')
    .usage('[playbook | command] [options]')
    .description('Brings Debian hosts to a declared state over SSH.')
    .optionsGroup(OTHER)
    .version(versionOf(installation), '-V, --version', 'show the version')
    .configureHelp(programHelp(run))
    .addHelpText('after', `${EXAMPLES}\n\nExit status:\n${exitStatusTable()}`)
    .helpCommand('help [command]', 'show the help of a command or a playbook')
    .commandsGroup('Commands:')
    .addCommand(run, { isDefault: true })
    .addCommand(planCommand(installation))
    .addCommand(applyCommand(installation))
    .addCommand(approveCommand(installation))
    .addCommand(resumeCommand(installation))
    .commandsGroup('Commands that change nothing:')
    .addCommand(validateCommand(installation))
    .addCommand(verifyCommand(installation))
    .addCommand(watchCommand(installation))
    .addCommand(driftCommand(installation))
    .addCommand(doctorCommand(installation))
    .addCommand(hostsCommand(installation))
    .addCommand(factsCommand(installation))
    .addCommand(listStepsCommand(installation))
    .addCommand(whyCommand(installation))
    .addCommand(graphCommand(installation))
    .addCommand(logsCommand(installation))
    .addCommand(reportCommand(installation))
    .commandsGroup('Other commands:')
    .addCommand(execCommand(installation))
    .addCommand(sshCommand(installation))
    .addCommand(labCommand())
    .addCommand(mcpCommand(installation))
    .addCommand(initCommand(installation))
    .addCommand(newCommand(installation))
    .addCommand(completion)
    .addCommand(completer, { hidden: true })
  return withHelpLayout(program)
}

/** A first word that is not a command is a playbook. @throws Problem if there is no such playbook */
function assertCommand([word = '-']: readonly string[], program: Command): void {
  const isCommand = word === 'help' || program.commands.some((one) => one.name() === word)
  if (isCommand || /^-|[/.]/.test(word) || existsSync(playbookPath(word))) return
  const commands = new Help().visibleCommands(program).map((one) => one.name())
  throw unknownCommand(word, [...commands, ...playbooks()])
}

/** Names the default command where help of a playbook is requested: commander would show the help of the program. */
function withRun(args: readonly string[], program: Command): readonly string[] {
  const isPlaybook = (word = '-') =>
    !word.startsWith('-') && word !== 'help' && program.commands.every((one) => one.name() !== word)
  const [first, second] = args
  if (first === 'help' && isPlaybook(second)) return ['run', second ?? '', '--help']
  return isPlaybook(first) && args.some((arg) => arg === '--help' || arg === '-h') ? ['run', ...args] : args
}

/** Sets the default value of `--wait` explicitly: commander would take the playbook in `--wait site` as its value. */
function withDefaultWait(args: readonly string[]): readonly string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  return args.map((arg, i) => (arg === '--wait' && i < end && !/^\d/.test(args[i + 1] ?? '') ? '--wait=10m' : arg))
}

function withDescendants(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withDescendants)]
}

const EXAMPLES = `
Examples:
  provision --inventory inventory/prod.ts            run playbooks/site.ts on all hosts
  provision --inventory inventory/prod.ts --check    show what would change
  provision --inventory inventory/lab.ts --limit web,!web2 --diff
  provision resume                                   resume the last unfinished run
  provision validate --inventory inventory/prod.ts   find errors without connecting to hosts
  provision verify --inventory inventory/prod.ts     check that the system works
  provision lab up                                   start eight hosts on this machine`
