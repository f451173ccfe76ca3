import { Command, Option } from 'commander'
import { toProblem } from '../../engine/hosts/scripts.ts'
import { paintFor } from '../../report/problem.ts'
import { GroupedOutput, hasFailed, JsonOutput } from '../../report/tables/command-output.ts'
import { Shell, sh } from '../../shell/sh.ts'
import { BecomeFailed } from '../../transport/errors.ts'
import { duration } from '../duration.ts'
import { EXIT } from '../exit.ts'
import { onInterrupt } from '../interrupt.ts'
import type { Installation } from '../load/load.ts'
import { type ReachFlags, withReachOptions } from '../options.ts'
import { connectOptions, exitCodeOfCounts, printProblems, runOnHost, selectHosts } from '../target.ts'

interface ExecFlags extends ReachFlags {
  readonly become: boolean
  readonly grouped: boolean
  readonly output: 'plain' | 'json'
  /** Milliseconds. */
  readonly timeout: number
}

/** When the lines of hosts that still run begin to be shown, ms. */
const PATIENCE = 2_000

/** `provision exec 'COMMAND'`: one command on all hosts at once. */
export function execCommand(own: Installation): Command {
  return withReachOptions(
    new Command('exec').argument(
      '<command...>',
      'one word is text for a shell; of several each is taken as it is',
    ),
  )
    .description('run one command on hosts, side by side, as root; takes no lock')
    .option('--no-become', 'as the user who logs in')
    .option('--grouped', 'show nothing until all have ended, however long that takes', false)
    .addOption(
      new Option('--timeout <time>', 'stop it on a host where it takes longer: 30s, 2h')
        .argParser(duration)
        .default(600_000, '10m'),
    )
    .addOption(
      new Option('-o, --output <how>', 'how to show what hosts say')
        .choices(['plain', 'json'])
        .default('plain'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], flags: ExecFlags) => {
      process.exitCode = await exec(scriptOf(words), flags, own)
    })
}

const EXAMPLES = `
Examples:
  provision exec 'systemctl is-active nginx' --limit web
  provision exec --limit '!db' -- apt-get -qq update
  provision exec 'df -h / | tail -n 1' --output json`

/** As with ssh: what is one word was meant for a shell. */
function scriptOf(words: readonly string[]): Shell {
  const [only = ''] = words
  return words.length === 1 ? Shell.raw(only) : sh`${words}`
}

async function exec(script: Shell, flags: ExecFlags, own: Installation): Promise<number> {
  const began = performance.now()
  const { hosts } = await selectHosts(flags, own)
  const way = await connectOptions(flags)
  const options = {
    hosts: hosts.map(({ name }) => name),
    write: (line: string) => process.stdout.write(`${line}\n`),
    paint: paintFor(process.stdout),
  }
  const grouped = flags.output === 'plain' ? new GroupedOutput(options) : undefined
  const outputs = grouped ?? new JsonOutput(options)
  const count = { failed: 0, unreachable: 0 }
  const { signal, done } = onInterrupt('\nStopping it on all hosts. Once more to leave at once.\n')
  const timer = flags.grouped ? undefined : setTimeout(() => grouped?.goLive(), PATIENCE)
  const onHost = async (host: (typeof hosts)[number]) => {
    const start = performance.now()
    try {
      const ended = await runOnHost(
        host,
        { ...way, become: flags.become ? way.become : { method: 'none' } },
        {
          script,
          hear: (stream, piece) => outputs.receive(host.name, stream, piece),
          timeout: flags.timeout,
          stop: signal,
        },
      )
      if (hasFailed(ended)) count.failed++
      outputs.end({ host: host.name, ...ended, ms: performance.now() - start })
    } catch (error) {
      const problem = toProblem(error, host.name)
      if (problem instanceof BecomeFailed) count.failed++
      else count.unreachable++
      outputs.unreachable(host.name, problem)
      if (grouped) printProblems([problem])
    }
  }
  await Promise.all(hosts.map(onHost))
  clearTimeout(timer)
  done()
  outputs.close(performance.now() - began)
  return signal.aborted ? EXIT.interrupted : exitCodeOfCounts(count)
}
