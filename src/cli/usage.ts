import { type Command, type CommanderError, Help, type HelpConfiguration } from 'commander'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'
import { EXIT_CODES } from './exit.ts'
import { describedPlaybooks, renamedPlaybook } from './load/paths.ts'
import { OTHER } from './options.ts'

/** Converts an error of commander to a Problem. The errors that end help and version are returned unchanged. */
export function usageProblem(error: CommanderError, command: Command): Error {
  const [, first = '', second = ''] = /'([^']*)'(?:.*?'([^']*)')?/s.exec(error.message) ?? []
  const help = `For the usage: ${commandPath(command)} --help`
  switch (error.code) {
    case 'commander.help':
    case 'commander.helpDisplayed':
    case 'commander.version':
      return error
    case 'commander.unknownOption':
      return unknownOption(first, { options: new Help().visibleOptions(command).flatMap(({ long }) => long ?? []) })
    case 'commander.unknownCommand': {
      const names = new Help().visibleCommands(command).map((one) => one.name())
      return new Problem(`Unknown command "${command.name()} ${first}"`, { next: didYouMean(first, names) ?? help })
    }
    case 'commander.excessArguments':
      return new Problem(`Unexpected argument "${command.args[command.registeredArguments.length]}"`, { next: help })
    case 'commander.missingArgument':
      return new Problem(`Missing argument <${first}>`, { next: help })
    case 'commander.optionMissingArgument':
      return new Problem(`Missing value of the option ${first}`, { next: help })
    case 'commander.invalidArgument': {
      const [name, value] = error.message.startsWith('error: option') ? [first, second] : [`<${second}>`, first]
      const [, reason = ''] = /is invalid(?: for argument '[^']*')?\. (.*)$/s.exec(error.message) ?? []
      return new Problem(`Invalid value "${value}" of ${name}`, { next: sentence(reason) })
    }
    default:
      return new Problem(sentence(error.message.replace(/^error: /, '')), { next: help })
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/** All words of a command: `provision lab up`. */
export function commandPath(command: Command): string {
  return [...(command.parent ? [commandPath(command.parent)] : []), command.name()].join(' ')
}

/** Commands of other tools and of earlier versions, each with the command to use here. */
const COMMANDS = byName([
  ['check', 'provision validate finds errors without hosts. For a dry run: provision --check.'],
  ['lint syntax-check', 'Use provision validate.'],
  ['steps tasks list-tasks', 'Use provision list-steps.'],
  ['inventory ls list list-hosts', 'Use provision hosts.'],
  ['status state', 'Use provision verify, provision watch, or provision report --list for past runs.'],
  ['test', 'Use provision verify.'],
  ['monitor top', 'Use provision watch.'],
  ['ping', 'Use provision doctor, or provision exec true.'],
  ['shell console login command', "Use provision ssh HOST, or provision exec 'COMMAND'."],
  ['tail', 'Use provision logs --follow.'],
  ['diff dry-run preview', 'Use provision --check --diff.'],
  ['history runs', 'Use provision report --list.'],
  ['retry continue', 'Use provision resume.'],
  ['up converge sync playbook', 'Specify the name of a playbook: provision site.'],
  ['setup', 'Use provision facts. For a new project: provision init.'],
  ['create generate', 'Use provision init, or provision new role NAME.'],
  ['vault secrets', 'Secrets are declared in the inventory; see docs/secrets.md.'],
])

const VALUES = 'Values are set in the inventory. A playbook can declare options of its own.'
const LOGIN = 'Set `ssh` of the host in the inventory.'

/** Options of other tools. Some work, because they have one meaning: `--dry-run`, `-C`, `logs --tail`. */
const OPTIONS = byName([
  ['--force', 'provision resume --anyway ignores changed files. --wait waits for locked hosts.'],
  ['--list-tasks', 'Use provision list-steps.'],
  ['--list-hosts', 'Use provision hosts.'],
  ['--syntax-check', 'Use provision validate.'],
  ['--start-at-task', 'Use --start-at.'],
  ['--extra-vars --var -e', VALUES],
  ['--forks --parallelism -f', 'Hosts run in parallel; a play limits that with `serial` or `maxUnavailable`.'],
  ['--ask-become-pass', 'Use --ask-become-password.'],
  ['--become -b', 'Steps run as root. Set `become` of the host in the inventory.'],
  ['--user --private-key --ask-pass -u -k', LOGIN],
  ['--connection', 'Use --transport.'],
  ['--host --hosts', 'Use --limit.'],
  ['--target', 'Use --limit for hosts, --tags for steps.'],
  ['--yes --auto-approve -y', 'A run does not ask. To see the changes first: --check.'],
  ['--json', 'Use --output json.'],
  ['--format', 'Use --output.'],
  ['--quiet -q', 'Use --output lines.'],
  ['--debug', 'Use -vvv.'],
  ['--no-color', 'Set NO_COLOR=1.'],
  ['--out', 'Use provision plan --out FILE, then provision apply FILE.'],
  ['--resume', 'Use provision resume.'],
  ['--watch', 'Use provision watch.'],
  ['--tail --follow', 'Use provision logs --follow.'],
  ['-D', 'Use --diff.'],
])

function byName(rows: readonly (readonly [names: string, hint: string])[]): ReadonlyMap<string, string> {
  return new Map(rows.flatMap(([names, hint]) => names.split(' ').map((name) => [name, hint] as const)))
}

/** @param known the commands and playbooks that exist */
export function unknownCommand(name: string, known: readonly string[]): Problem {
  return new Problem(`Unknown command or playbook "${name}"`, {
    next:
      COMMANDS.get(name) ??
      renamedPlaybook(name) ??
      didYouMean(name, known) ??
      'For the commands and playbooks: provision --help',
  })
}

/**
 * @param own the options of the playbook
 * @param options those of the command
 */
export function unknownOption(
  option: string,
  { own = [], options }: { readonly own?: readonly string[]; readonly options: readonly string[] },
): Problem {
  const all = own.length > 0 ? `The playbook has the options ${own.join(', ')}.` : undefined
  return new Problem(`Unknown option ${option}`, {
    next: OPTIONS.get(option) ?? didYouMean(option, [...own, ...options]) ?? all ?? 'For the options: --help',
  })
}

/** The order of the option groups. Others, such as the options of a playbook, come first. */
const GROUPS = ['Hosts:', 'Steps:', 'Entries:', 'Run:', 'Output:', 'Connection:', OTHER]

const LAYOUT: HelpConfiguration = {
  subcommandTerm: (command) => command.name(),
  optionDescription: ({ description, argChoices, defaultValue, defaultValueDescription }) => {
    const hasDefault = typeof defaultValue === 'string' || defaultValueDescription !== undefined
    const notes = [
      ...(argChoices ? [argChoices.join(', ')] : []),
      ...(hasDefault ? [`default: ${defaultValueDescription ?? defaultValue}`] : []),
    ]
    return notes.length === 0 ? description : `${description} (${notes.join('; ')})`
  },
  groupItems: (_all, visible, groupOf) =>
    new Map(
      [...new Help().groupItems(visible, visible, groupOf)].sort(([a], [b]) => GROUPS.indexOf(a) - GROUPS.indexOf(b)),
    ),
}

/** Sets the layout of the help of a command and of all below it. */
export function withHelpLayout(command: Command): Command {
  command.configureHelp({ ...LAYOUT, ...command.configureHelp() })
  if (!command.options.some(({ long }) => long === '--help'))
    command.optionsGroup(OTHER).helpOption('-h, --help', 'show this help')
  for (const one of command.commands) withHelpLayout(one)
  return command
}

/** The help of the program has the options of the default command, and the playbooks of the project. */
export function programHelp(defaultCommand: Command): HelpConfiguration {
  return {
    visibleOptions: (program) => [
      ...new Help().visibleOptions(defaultCommand).filter(({ long }) => long !== '--help'),
      ...new Help().visibleOptions(program),
    ],
    formatHelp: (program, help) =>
      `${Help.prototype.formatHelp.call(help, program, help)}${playbookList(help.helpWidth ?? 80)}`,
  }
}

/** One line per playbook. */
function playbookList(width: number): string {
  const all = describedPlaybooks()
  if (all.length === 0) return ''
  const column = Math.max(...all.map(({ name }) => name.length)) + 4
  const lines = all.map(({ name, description }) =>
    `  ${name.padEnd(column - 2)}${shortened(description, width - column)}`.trimEnd(),
  )
  return ['\nPlaybooks (for their options: provision PLAYBOOK --help):', ...lines, ''].join('\n')
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`
}

/** The exit statuses as a table. */
export function exitStatusTable(): string {
  return EXIT_CODES.map(([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}`).join('\n')
}
