import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { sessionPool } from '../../engine/hosts/session-pool.ts'
import { verify } from '../../engine/verify.ts'
import type { Verified } from '../../model/check/verification.ts'
import { paintFor } from '../../report/problem.ts'
import { changes, lastKnown, statusLines } from '../../report/tables/watch-view.ts'
import { Screen } from '../../report/terminal/screen.ts'
import { duration } from '../duration.ts'
import { onInterrupt } from '../interrupt.ts'
import type { Installation } from '../load/load.ts'
import { type ReachFlags, withReachOptions } from '../options.ts'
import { sessions } from '../sessions.ts'
import { connectOptions } from '../target.ts'
import { count } from '../whole.ts'
import { exitCodeOfVerification, loadTarget } from './verify.ts'

interface WatchFlags extends ReachFlags {
  /** Milliseconds. */
  readonly every: number
  readonly rounds?: number
}

/** `provision watch`: `verify`, again and again, over sessions that stay open. */
export function watchCommand(own: Installation): Command {
  return withReachOptions(
    new Command('watch').argument('[verification]', 'a file, or a name below playbooks/', 'verify'),
  )
    .description('show the state of the whole system as it is, until Ctrl-C; changes nothing')
    .addOption(
      new Option('--every <time>', 'the pause between two rounds: 500ms, 3s, 1m')
        .argParser(duration)
        .default(3_000, '3s'),
    )
    .option('--rounds <count>', 'end after so many', count)
    .addHelpText(
      'after',
      '\nExamples:\n  provision watch\n  provision watch --limit db --every 1s\n\nIn a terminal the state is drawn anew in its place; in a pipe there is a line for each change. After the last\nround it ends with the status that verify would have; after Ctrl-C with 0.',
    )
    .action(async (name: string, flags: WatchFlags) => {
      process.exitCode = await watch(name, flags, own)
    })
}

async function watch(name: string, flags: WatchFlags, own: Installation): Promise<number> {
  const asked = await loadTarget(name, flags, own)
  const { hosts } = asked.inventory
  const { transportOf, become, settings } = await connectOptions(flags)
  const { open, close } = sessionPool(sessions(transportOf, become, settings))
  const { signal, done } = onInterrupt('')
  const paint = paintFor(process.stdout)
  const screen = process.stdout.isTTY ? new Screen(process.stdout) : undefined
  const say = (line: string) => process.stdout.write(`${line}\n`)
  let before: Verified | undefined
  for (let round = 1; !signal.aborted; round++) {
    const now = await verify(asked, open)
    const at = new Date().toTimeString().slice(0, 8)
    if (screen) screen.draw([paint('dim', at), ...statusLines(now, hosts, paint)])
    else if (before) for (const line of changes(before, now)) say(`${at} ${line}`)
    else for (const line of [at, ...statusLines(now, hosts, paint)]) say(line)
    before = lastKnown(before, now)
    if (round === flags.rounds) break
    await sleep(flags.every, undefined, { signal }).catch(() => {})
  }
  done()
  await close()
  return signal.aborted || !before ? 0 : exitCodeOfVerification(before)
}
