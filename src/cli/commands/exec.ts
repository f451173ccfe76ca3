import { Command, Option } from 'commander'
import { FORKS } from '../../engine/hosts/hosts.ts'
import { toProblem } from '../../engine/hosts/scripts.ts'
import type { Host } from '../../model/inventory/host.ts'
import { paintFor } from '../../report/problem.ts'
import { GroupedOutput, hasFailed, JsonOutput } from '../../report/tables/command-output.ts'
import { Shell, sh } from '../../shell/sh.ts'
import { Semaphore } from '../../transport/concurrency.ts'
import { BecomeFailed } from '../../transport/errors.ts'
import { EXIT, exitCodeOfCounts, onInterrupt } from '../exit.ts'
import type { Installation } from '../load/paths.ts'
import { duration, type OutputFlags, type ReachFlags, withOutputOption, withReachOptions } from '../options.ts'
import { printProblems } from '../print.ts'
import { connectOptions, runOnHost, selectHosts } from '../target.ts'

interface ExecFlags extends ReachFlags, OutputFlags {
  readonly become: boolean
  readonly grouped: boolean
  /** Milliseconds. */
  readonly timeout: number
}

/** When the output of hosts that are still running is first shown, ms. */
const GROUPED_FOR = 2_000

/** `provision exec 'COMMAND'`: runs a command on all hosts in parallel. */
export function execCommand(installation: Installation): Command {
  const command = withReachOptions(
    new Command('exec').argument('<command...>', 'one argument runs in a shell; several run as they are'),
  )
  return withOutputOption(command)
    .description('run a command on hosts in parallel, as root, without a lock')
    .option('--grouped', 'print the output when all hosts have finished', false)
    .optionsGroup('Run:')
    .option('--no-become', 'run as the login user')
    .addOption(
      new Option('--timeout <time>', 'stop the command on a host after this time: 30s, 2h')
        .argParser(duration)
        .default(600_000, '10m'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (args: readonly string[], flags: ExecFlags) => {
      process.exitCode = await exec(scriptOf(args), flags, installation)
    })
}

const EXAMPLES = `
Examples:
  provision exec 'systemctl is-active nginx' --limit web
  provision exec --limit '!db' -- apt-get -qq update
  provision exec 'df -h / | tail -n 1' --output json`

/** As ssh does: one argument is a script. */
function scriptOf(args: readonly string[]): Shell {
  const [only = ''] = args
  return args.length === 1 ? Shell.raw(only) : sh`${args}`
}

async function exec(script: Shell, flags: ExecFlags, installation: Installation): Promise<number> {
  const began = performance.now()
  const { hosts } = await selectHosts(flags, installation)
  const connect = await connectOptions(flags)
  const options = {
    hosts: hosts.map(({ name }) => name),
    write: (line: string) => process.stdout.write(`${line}\n`),
    paint: paintFor(process.stdout),
  }
  const grouped = flags.output === 'plain' ? new GroupedOutput(options) : undefined
  const output = grouped ?? new JsonOutput(options)
  const count = { failed: 0, unreachable: 0 }
  const { signal, done } = onInterrupt('\nStopping the command on all hosts. Press Ctrl-C again to stop now.\n')
  const timer = flags.grouped ? undefined : setTimeout(() => grouped?.goLive(), GROUPED_FOR)
  const onHost = async (host: Host) => {
    const start = performance.now()
    try {
      const result = await runOnHost(
        host,
        { ...connect, become: flags.become ? connect.become : { method: 'none' } },
        {
          script,
          onOutput: (stream, piece) => output.receive(host.name, stream, piece),
          timeout: flags.timeout,
          stop: signal,
        },
      )
      if (hasFailed(result)) count.failed++
      output.end({ host: host.name, ...result, ms: performance.now() - start })
    } catch (error) {
      const problem = toProblem(error, host.name)
      count[problem instanceof BecomeFailed ? 'failed' : 'unreachable']++
      output.unreachable(host.name, problem)
      if (grouped) printProblems(problem)
    }
  }
  const forks = new Semaphore(flags.forks ?? FORKS)
  await Promise.all(hosts.map((host) => forks.run(() => onHost(host))))
  clearTimeout(timer)
  done()
  output.close(performance.now() - began)
  return signal.aborted ? EXIT.interrupted : exitCodeOfCounts(count)
}
