import { clearHandler } from '../../model/host-state.ts'
import { stepInfo } from '../../model/playbook/expand.ts'
import { elapsed } from '../../shell/duration.ts'
import { Secret } from '../../shell/secret.ts'
import type { HostTurn } from '../context.ts'
import { failedHandler, firstFailure, interrupted } from '../errors/step-errors.ts'
import { type HostScript, hostScript } from '../hosts/scripts.ts'
import type { StepState } from '../read/step-state.ts'
import type { DueHandler } from './due-handlers.ts'

/** Runs handlers in one round trip. @throws Problem for the first that fails; it stays pending, as do those after it */
export async function runHandlers(due: readonly DueHandler[], turn: HostTurn): Promise<void> {
  const { hostRun, emit, play, stop } = turn
  hostRun.startChange()
  const owned = due.flatMap((one) => {
    const commands = one.handler.commands.map(hostScript)
    return [...commands, { script: clearHandler(one.handler) }].map((script) => ({ script, one }))
  })
  const scripts = owned.map(({ script }) => script)
  announceReboots(scripts, turn)
  const results = await hostRun.session.run(scripts, { stopAtFailure: true, stop })
  const failure = firstFailure(scripts, results)
  for (const one of due) {
    const { handler, pending } = one
    const about = { kind: 'handler', play, host: hostRun.name, name: handler.name, pending } as const
    if (failure && owned[failure.at]?.one === one) {
      if (failure.result.skipped && stop.aborted) throw interrupted(hostRun)
      const problem = failedHandler(hostRun, handler.name, failure)
      emit({ ...about, outcome: 'failed', problem })
      throw problem
    }
    hostRun.handlersDone([handler])
    emit({ ...about, outcome: 'done' })
  }
}

/** The progress of a command while it runs. */
export interface Progress {
  readonly hear: (line: string) => void
  readonly last: () => string | undefined
}

/** Emits the progress of a step's commands; a line that begins with "waiting for" becomes an event of its own. */
export function reportProgress({ expanded }: StepState, { emit, play, hostRun }: HostTurn): Progress {
  let last: string | undefined
  return {
    hear: (line) => {
      const text = Secret.redact(line)
      if (text === last) return
      last = text
      const about = { play, host: hostRun.name }
      const awaited = /^waiting for (.+)$/.exec(text)?.[1]
      emit(
        awaited === undefined
          ? { kind: 'progress', ...about, step: stepInfo(expanded), text }
          : { kind: 'waiting', ...about, for: awaited },
      )
    },
    last: () => last,
  }
}

/** Emits an event for each reboot of these scripts, which may take minutes. */
export function announceReboots(scripts: readonly HostScript[], { emit, play, hostRun }: HostTurn): void {
  for (const { on, reboots } of scripts)
    if (reboots !== undefined)
      emit({
        kind: 'waiting',
        play,
        host: hostRun.name,
        for: `${on?.name ?? hostRun.name} to be back from a reboot (${elapsed(reboots)} at most)`,
      })
}
