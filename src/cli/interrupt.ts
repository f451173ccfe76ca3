import { EXIT } from './exit.ts'

/**
 * What Ctrl-C and a polite kill do to a run: the first lets every host finish the step in hand and take back what was opened
 * around it, the second ends us at once.
 *
 * @param told what the person reads then
 */
export function onInterrupt(told = TOLD): { readonly signal: AbortSignal; readonly done: () => void } {
  const stop = new AbortController()
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted)
    stop.abort()
    process.stderr.write(told)
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  return {
    signal: stop.signal,
    done: () => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt),
  }
}

const TOLD =
  '\nStopping: steps in hand are finished, what was taken out of service is put back. Once more to stop now.\n'
