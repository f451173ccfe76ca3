import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { sessionPool } from '../../engine/hosts/session-wrappers.ts'
import { verify } from '../../engine/verify.ts'
import type { Verified } from '../../model/check/verification.ts'
import { paintFor } from '../../report/problem.ts'
import { changes, lastKnown, Screen, statusLines } from '../../report/tables/watch-view.ts'
import { exitCodeOfVerification, onInterrupt } from '../exit.ts'
import type { Installation } from '../load/paths.ts'
import { count, duration, type ReachFlags, withReachOptions } from '../options.ts'
import { openSessions } from '../target.ts'
import { loadChecks, withVerification } from './verify.ts'

interface WatchFlags extends ReachFlags {
  /** Milliseconds. */
  readonly every: number
  readonly rounds?: number
}

/** `provision watch`: repeats `verify` over sessions that stay open. */
export function watchCommand(installation: Installation): Command {
  return withReachOptions(withVerification(new Command('watch')))
    .description('repeat the checks of verify until Ctrl-C')
    .optionsGroup('Run:')
    .addOption(
      new Option('--every <time>', 'pause between two rounds: 500ms, 3s, 1m').argParser(duration).default(3_000, '3s'),
    )
    .option('--rounds <count>', 'stop after this many rounds', count)
    .addHelpText(
      'after',
      '\nExamples:\n  provision watch\n  provision watch --limit db --every 1s\n\nA terminal shows the current state; a pipe gets a line for each change. After the last round of --rounds the\nexit status is that of verify; after Ctrl-C it is 0.',
    )
    .action(async (name: string, flags: WatchFlags) => {
      process.exitCode = await watch(name, flags, installation)
    })
}

async function watch(name: string, flags: WatchFlags, installation: Installation): Promise<number> {
  const checks = await loadChecks(name, flags, installation)
  const { hosts } = checks.inventory
  const { open, close } = sessionPool(await openSessions(flags))
  const { signal, done } = onInterrupt('')
  const paint = paintFor(process.stdout)
  const screen = process.stdout.isTTY ? new Screen(process.stdout) : undefined
  const print = (line: string) => process.stdout.write(`${line}\n`)
  let before: Verified | undefined
  for (let round = 1; !signal.aborted; round++) {
    const now = await verify(checks, open)
    const at = new Date().toTimeString().slice(0, 8)
    if (screen) screen.draw([paint('dim', at), ...statusLines(now, hosts, paint)])
    else if (before) for (const line of changes(before, now)) print(`${at} ${line}`)
    else for (const line of [at, ...statusLines(now, hosts, paint)]) print(line)
    before = lastKnown(before, now)
    if (round === flags.rounds) break
    await sleep(flags.every, undefined, { signal }).catch(() => {})
  }
  done()
  await close()
  return signal.aborted || !before ? 0 : exitCodeOfVerification(before)
}
