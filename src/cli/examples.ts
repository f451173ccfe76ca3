import type { Command } from 'commander'

/** What the help of a command tells behind its flags: examples, and what else there is to say. */
export function examplesOf(command: Command): string {
  let text = ''
  const before = command.configureOutput()
  command.configureOutput({
    ...before,
    writeOut: (piece) => {
      text += piece
    },
  })
  command.outputHelp()
  command.configureOutput(before)
  return text.slice(command.helpInformation().length).trim()
}
