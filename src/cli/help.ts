import { type Command, Help, type HelpConfiguration } from 'commander'
import { EXIT_CODES } from './exit.ts'
import { describedPlaybooks } from './load/paths.ts'
import { OTHER } from './options.ts'

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
