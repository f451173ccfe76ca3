import type { Command } from 'commander'
import { type HookRun, hookRun } from '../api/hooks.ts'
import { limitOf } from '../api/limit.ts'
import { type RunResult, runToResult } from '../api/run.ts'
import type { OpenSession } from '../engine/hosts/scripts.ts'
import { promptSecrets } from '../engine/read/without-hosts.ts'
import type { RunOptions } from '../engine/run.ts'
import type { Inventory } from '../model/inventory/inventory.ts'
import type { Playbook } from '../model/playbook/playbook.ts'
import { Problem } from '../model/problem.ts'
import { paintFor, plain, sanitized } from '../report/problem.ts'
import { jsonReporter, type Reporter } from '../report/reporter.ts'
import { SCREEN_READER_LABELS } from '../report/terminal/lines.ts'
import { plainReporter } from '../report/terminal/plain.ts'
import { isInteractive, recordedRefusal } from '../secrets/interaction.ts'
import { Secret } from '../shell/secret.ts'
import { quote } from '../shell/sh.ts'
import { onInterrupt } from './exit.ts'
import { load } from './load/load.ts'
import { type Installation, inventoryPath, playbookPath } from './load/paths.ts'
import { type RunFlags, selectionOf } from './options.ts'
import { flagParser } from './playbook-flags.ts'
import { confirmSteps } from './prompt.ts'
import { createJournal, type RecordDirectory } from './state/journal.ts'
import { trackUnfinished } from './state/resume.ts'
import { openSessions } from './target.ts'

interface RunRequest {
  /** A name in playbooks/ or a file. */
  readonly playbook: string
  /** The options of the playbook. */
  readonly args: readonly string[]
  readonly flags: RunFlags
  readonly command: Command
  readonly installation: Installation
  /** The use of the playbook's `prepare`: call it, skip it because it was called before, or reject the playbook. @default 'skip' */
  readonly prepare?: 'call' | 'skip' | 'reject'
  /** True if the result must have the plan. @default false */
  readonly needsPlan?: boolean
  /** Called before any host is contacted. @throws Problem to reject the run */
  readonly onLoad?: (loaded: { readonly inventory: Inventory; readonly files: readonly string[] }) => void
  /** Shows the run. @default the format of `--output` */
  readonly reporter?: Reporter
  /** Opens the sessions. @default as the flags specify */
  readonly open?: OpenSession
  /** The directory that records the run. @default 'runs' */
  readonly record?: RecordDirectory
}

/** Loads a playbook, runs it, and reports and records the run. */
export async function runPlaybook(
  {
    playbook: name,
    args,
    flags,
    command,
    installation,
    prepare = 'skip',
    needsPlan = false,
    onLoad,
    ...own
  }: RunRequest,
  plan: Pick<RunOptions, 'expect'> = {},
): Promise<RunResult & { readonly inventory: Inventory; readonly hooks: HookRun | undefined }> {
  const paths = { inventory: inventoryPath(flags.inventory), playbook: playbookPath(name) }
  const { typeCheck } = flags
  const parse = flagParser(args, command)
  const accept = (loaded: Playbook) => {
    const parsed = parse(loaded)
    if (prepare === 'call') parsed.prepare?.({}, { check: flags.check })
    if (prepare === 'reject' && parsed.prepare) throw notPlannable(name)
    return parsed
  }
  const { inventory, playbook, files } = await load(paths, { installation, typeCheck, accept })
  onLoad?.({ inventory, files })
  const limit = limitOf(flags.limit, inventory)
  if (isInteractive()) {
    promptSecrets(inventory, playbook, limit.limit)
    const refusal = recordedRefusal()
    if (refusal) throw refusal
  }
  const confirm = flags.step && !flags.check ? confirmSteps() : undefined
  const open = own.open ?? (await openSessions(flags))
  const reporter = own.reporter ?? (await reporterFor(flags))
  const track = flags.check ? undefined : trackUnfinished({ ...paths, playbook: name, args, flags }, files)
  const journal = flags.journal ? createJournal(commandLine(), inventory, own.record) : undefined
  const mode = own.record === 'drift' ? 'drift' : flags.check ? 'plan' : 'apply'
  const warn = (text: string) => process.stderr.write(`warning: ${text}\n`)
  const hooks = hookRun(inventory.hooks, { mode, command: commandLine(), warn })
  const { signal, done } = onInterrupt()
  let result: RunResult
  try {
    result = await runToResult(
      {
        inventory,
        playbook,
        mode: flags.check ? 'plan' : 'apply',
        diff: flags.diff,
        stop: signal,
        select: selectionOf(flags),
        ...(confirm && { confirm }),
        ...(flags.wait !== undefined && { wait: flags.wait }),
        forks: flags.forks,
        ...plan,
        ...limit,
      },
      {
        open,
        needsPlan,
        emit: (event) => {
          track?.(event)
          journal?.emit(event)
          hooks?.emit(event)
          reporter.emit(event)
        },
      },
    )
  } finally {
    done()
    journal?.close()
    await reporter.done()
  }
  await hooks?.end(result.summary)
  return { ...result, inventory, hooks }
}

function notPlannable(name: string): Problem {
  return new Problem(`${name} prepares files on this machine, which a saved plan cannot contain`, {
    next: `For a dry run: provision ${name} --check`,
  })
}

/** As typed. It contains no secret: options for secrets are rejected. */
export function commandLine(): string {
  return ['provision', ...process.argv.slice(2).map(quote)].join(' ')
}

async function reporterFor({ output, verbose, step }: RunFlags): Promise<Reporter> {
  const paint = output === 'plain' ? plain : paintFor(process.stdout)
  const write = (text: string) => process.stdout.write(`${sanitized(text, paint)}\n`)
  const { isTTY } = process.stdout
  const format = output ?? (isTTY && process.env['TERM'] !== 'dumb' && verbose === 0 && !step ? 'live' : 'lines')
  if (format === 'json') return jsonReporter((line) => process.stdout.write(`${Secret.redact(line)}\n`))
  if (format !== 'live')
    return plainReporter({
      write,
      paint,
      verbose: verbose > 0,
      ...(format === 'plain' && { symbols: SCREEN_READER_LABELS }),
    })
  const { liveReporter } = await import('../report/terminal/live.ts')
  return liveReporter({ write, paint })
}
