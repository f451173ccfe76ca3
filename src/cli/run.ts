import type { Command } from 'commander'
import { promptSecrets } from '../engine/read/without-hosts.ts'
import { type RunOptions, run } from '../engine/run.ts'
import type { Summary } from '../model/event.ts'
import type { Playbook } from '../model/playbook/playbook.ts'
import { Problem } from '../model/problem.ts'
import { jsonReporter } from '../report/json.ts'
import { paintFor, plain, sanitized } from '../report/problem.ts'
import type { Reporter } from '../report/reporter.ts'
import { SCREEN_READER_LABELS } from '../report/terminal/lines.ts'
import { plainReporter } from '../report/terminal/plain.ts'
import { isInteractive, recordedRefusal } from '../secrets/interaction.ts'
import { quote } from '../shell/quote.ts'
import { Secret } from '../shell/secret.ts'
import { EXIT } from './exit.ts'
import { onInterrupt } from './interrupt.ts'
import { matchHosts } from './limit.ts'
import { type Installation, load } from './load/load.ts'
import { inventoryPath, playbookPath } from './load/paths.ts'
import type { RunFlags } from './options.ts'
import { flagParser } from './playbook-flags.ts'
import { confirmSteps, selectionOf } from './select.ts'
import { sessions } from './sessions.ts'
import { sshOptions } from './ssh-options.ts'
import { createJournal } from './state/journal.ts'
import { trackUnfinished } from './state/resume.ts'
import { transports } from './transports.ts'

/** What a command line asks for. */
export interface RunRequest {
  /** A file, or a name below playbooks/. */
  readonly playbook: string
  /** What is said to the playbook. */
  readonly args: readonly string[]
  readonly flags: RunFlags
  /** Whose options a mistyped word may have meant. */
  readonly command: Command
  readonly own: Installation
  /** What becomes of that which a playbook prepares on this machine. @default 'was done' */
  readonly prepares?: 'now' | 'was done' | 'cannot'
}

/** Loads what is asked for, runs it and shows it; what it leaves undone is kept in mind for `provision resume`. */
export async function runPlaybook(
  { playbook: name, args, flags, command, own, prepares = 'was done' }: RunRequest,
  plan: Pick<RunOptions, 'surveyed' | 'expect'> = {},
): Promise<Summary> {
  const paths = { inventory: inventoryPath(flags.inventory), playbook: playbookPath(name) }
  const { typeCheck } = flags
  const tell = flagParser(args, command)
  const accept = (given: Playbook) => {
    const told = tell(given)
    if (prepares === 'now') told.prepare?.({}, { check: flags.check })
    if (prepares === 'cannot' && told.prepare) throw unplannable(name)
    return told
  }
  const loaded = await load({ ...paths, own, typeCheck, accept })
  const { inventory, playbook, files } = loaded
  const limit = flags.limit === undefined ? undefined : matchHosts(flags.limit, inventory.hosts)
  if (isInteractive()) {
    promptSecrets(inventory, playbook, limit)
    const refusal = recordedRefusal()
    if (refusal) throw refusal
  }
  const confirm = flags.step && !flags.check ? confirmSteps() : undefined
  const options = await sshOptions(flags)
  const reporter = await reporterFor(flags)
  const remember = flags.check ? undefined : trackUnfinished({ ...paths, playbook: name, args, flags }, files)
  const written = flags.journal ? createJournal(commandLine(), inventory) : undefined
  const { signal, done } = onInterrupt()
  try {
    return await run(
      {
        inventory,
        playbook,
        mode: flags.check ? 'plan' : 'apply',
        diff: flags.diff,
        stop: signal,
        select: selectionOf(flags),
        ...(confirm && { confirm }),
        ...(flags.wait !== undefined && { wait: flags.wait }),
        ...plan,
        ...(limit && { limit }),
      },
      {
        open: sessions(transports(options.ssh, flags.transport), options.become, options.settings),
        emit: (event) => {
          remember?.(event)
          written?.emit(event)
          reporter.emit(event)
        },
      },
    )
  } finally {
    done()
    written?.close()
    await reporter.done()
  }
}

function unplannable(name: string): Problem {
  return new Problem(`${name} makes things on this machine when it begins, which no plan can hold`, {
    next: `To see what it would change: provision ${name} --check`,
  })
}

/** What was typed; it holds no secret, as those are refused there. */
function commandLine(): string {
  return ['provision', ...process.argv.slice(2).map(quote)].join(' ')
}

async function reporterFor({ output, verbose, step }: RunFlags): Promise<Reporter> {
  const paint = output === 'plain' ? plain : paintFor(process.stdout)
  const write = (text: string) => process.stdout.write(`${sanitized(text, paint)}\n`)
  const { isTTY } = process.stdout
  const how = output ?? (isTTY && process.env['TERM'] !== 'dumb' && verbose === 0 && !step ? 'live' : 'lines')
  if (how === 'json') return jsonReporter((line) => process.stdout.write(`${Secret.redact(line)}\n`))
  if (how !== 'live')
    return plainReporter({
      write,
      paint,
      verbose: verbose > 0,
      ...(how === 'plain' && { symbols: SCREEN_READER_LABELS }),
    })
  const { liveReporter } = await import('../report/terminal/live.ts')
  return liveReporter({ write, paint })
}

export function exitCodeOfRun({ hosts, mode, interrupted }: Summary): number {
  if (interrupted) return EXIT.interrupted
  if (hosts.some(({ failed }) => failed > 0)) return EXIT.failed
  if (hosts.some(({ unreachable }) => unreachable)) return EXIT.unreachable
  return mode === 'plan' && hosts.some(({ changed }) => changed > 0) ? EXIT.drift : EXIT.ok
}
