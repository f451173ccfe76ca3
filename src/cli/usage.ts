import { type Command, type CommanderError, Help } from 'commander'
import { Problem } from '../model/problem.ts'
import { didYouMean } from '../shell/nearest.ts'
import { unknownOption } from './hints.ts'

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
      return unknownOption(first, {
        options: new Help().visibleOptions(command).flatMap(({ long }) => long ?? []),
      })
    case 'commander.unknownCommand': {
      const names = new Help().visibleCommands(command).map((one) => one.name())
      return new Problem(`Unknown command "${command.name()} ${first}"`, {
        next: didYouMean(first, names) ?? help,
      })
    }
    case 'commander.excessArguments':
      return new Problem(`Unexpected argument "${command.args[command.registeredArguments.length]}"`, {
        next: help,
      })
    case 'commander.missingArgument':
      return new Problem(`Missing argument <${first}>`, { next: help })
    case 'commander.optionMissingArgument':
      return new Problem(`Missing value of the option ${first}`, { next: help })
    case 'commander.invalidArgument': {
      const [name, value] = error.message.startsWith('error: option')
        ? [first, second]
        : [`<${second}>`, first]
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
